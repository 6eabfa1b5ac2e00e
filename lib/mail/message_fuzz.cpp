// The index of anything: parts lie in their parents, fields in their headers, and nothing is read outside.
#include <cstdint>
#include <cstdlib>

#include "lib/mail/message.h"

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto message = mail::Message::index(octets, {.depth = 8, .parts = 64, .fields = 256});
  for (const auto& part : message.parts()) {
    require(part.offset <= part.body && part.body <= part.end && part.end <= size);
    for (const auto& field : message.fields(part)) {
      require(field.offset >= part.offset);
      require(field.body.data() >= octets.data() && field.body.data() + field.body.size() <= octets.data() + part.body);
    }
    if (part.kind == mail::Part::Kind::Multipart) require(part.body <= part.preamble_end && part.preamble_end <= part.epilogue && part.epilogue <= part.end);
    if (part.parent == mail::kNoPart) continue;
    const auto& parent = message.parts()[part.parent];
    require(part.offset >= parent.body && part.end <= parent.end && part.depth == parent.depth + 1);
  }
  return 0;
}
