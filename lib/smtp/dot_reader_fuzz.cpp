// However the input is cut, the same message comes out and the same octets are left; and what came out, stuffed again, is what went in.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/smtp/dot_reader.h"

namespace {

struct Reading {
  std::string message;
  std::size_t eaten = 0;
  bool has_ended = false, has_bare = false;
  bool operator==(const Reading&) const = default;
};

Reading read(std::string_view wire, std::size_t piece, smtp::DotReader reader) {
  Reading reading;
  while (reading.eaten < wire.size() && !reading.has_ended) {
    const std::string own(wire.substr(reading.eaten, piece));
    std::string_view input = own;
    reading.has_ended = reader.feed(input, [&](std::string_view octets) { reading.message += octets; }) == smtp::DotReader::Status::EndOfData;
    reading.eaten += own.size() - input.size();
  }
  reading.has_bare = reader.has_bare_line_end();
  return reading;
}

std::string stuffed(std::string_view message) {
  std::string wire;
  bool is_line_start = true;
  for (const char octet : message) {
    if (is_line_start && octet == '.') wire += '.';
    wire += octet;
    is_line_start = octet == '\n';
  }
  return wire + ".\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using smtp::DotReader;
  if (size == 0) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const auto framing : {DotReader::Framing::Dots, DotReader::Framing::Counted}) {
    for (const auto bare : {DotReader::BareLineEnd::Refuse, DotReader::BareLineEnd::Normalise}) {
      const DotReader reader(framing, bare);
      const auto whole = read(wire, wire.size() + 1, reader);
      if (read(wire, 1, reader) != whole || read(wire, 1 + data[0], reader) != whole) std::abort();
      if (!whole.has_ended) continue;
      if (wire.substr(0, whole.eaten) != ".\r\n" && !wire.substr(0, whole.eaten).ends_with("\r\n.\r\n")) std::abort();
      if (!whole.has_bare && read(stuffed(whole.message), 7, reader).message != whole.message) std::abort();
    }
  }
  return 0;
}
