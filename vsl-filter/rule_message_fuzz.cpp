// A message that rules change: whatever the octets and whatever name and value a rule has, one call makes one field more, the
// body stays as it is, and what is written is read as the same header again.
#include <cstdint>
#include <cstdlib>

#include "vsl-filter/mailbox_edit.h"
#include "vsl-filter/message.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::string_view take(std::string_view& rest) {
  const auto size = rest.empty() ? 0 : static_cast<unsigned char>(rest.front()) % 64;
  if (!rest.empty()) rest.remove_prefix(1);
  const auto taken = rest.substr(0, size);
  rest.remove_prefix(taken.size());
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto name = take(rest), value = take(rest), other = take(rest);
  auto message = rules::Message::open(base::Blob::of_octets(std::string(rest)));
  require(message.has_value());
  rules::HeaderList& header = message->header();
  const auto fields = header.size();
  const std::string body(message->body());
  (void)header.get(name);
  if (!header.append(name, value)) {
    require(!message->is_changed());
  } else {
    require(header.size() == fields + 1);
    require(header.prepend(name, value).has_value());
    (void)header.set(name, other);
    (void)header.rename(name, other);
    require(header.size() == fields + 2);
    const auto blob = message->finish({});
    require(blob.has_value());
    auto again = rules::Message::open(*blob);
    require(again && again->header().size() == fields + 2 && again->body() == body);
    require(again->header().lines() == header.lines());
    require(header.remove(name) || header.remove(other));
    require(header.size() == fields + 1);
  }
  // A list without a mailbox stays without it.
  const auto edit = rules::remove_mailbox(rest, "a@b.example");
  require(edit.changes > 0 || edit.body == rest);
  require(rules::remove_mailbox(edit.body, "a@b.example").changes == 0);
  return 0;
}
