// However the octets are cut, the same replies come out, and what is read as a reply says itself again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "lib/smtp/reply.h"

namespace {
std::vector<std::string> read(std::string_view wire, std::size_t step) {
  smtp::ReplyReader reader({.line_octets = 64, .reply_octets = 256});
  std::vector<std::string> replies;
  while (!wire.empty()) {
    auto piece = wire.substr(0, step);
    wire.remove_prefix(piece.size());
    while (!piece.empty()) {
      const auto status = reader.feed(piece);
      if (status == smtp::ReplyReader::Status::Bad) return replies;
      if (status == smtp::ReplyReader::Status::Complete) {
        const auto reply = reader.take();
        if (reply.code < 200 || reply.code > 599) std::abort();
        replies.push_back(reply.words());
      }
    }
  }
  return replies;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wire(reinterpret_cast<const char*>(data), size);
  const auto whole = read(wire, wire.size() + 1);
  if (read(wire, 1) != whole || read(wire, 7) != whole) std::abort();
  return 0;
}
