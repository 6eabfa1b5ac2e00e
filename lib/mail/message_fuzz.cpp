// The index of anything: parts lie in their parents, fields in their headers, and nothing is read outside.
#include <cstdint>
#include <cstdlib>

#include "lib/mail/field_scan.h"
#include "lib/mail/message.h"

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}

// Who reads fields one by one sees the same header.
void compare_with_scanner(const mail::Message& message) {
  mail::FieldScanner scanner(message.octets());
  for (const auto& field : message.fields(message.root())) {
    const auto scanned = scanner.next();
    require(scanned && scanned->name == field.name && scanned->octets.data() == message.octets().data() + field.offset);
    const auto lines = scanned->octets.substr(field.name.empty() ? 0 : scanned->body);  // the index has all of a line that is no field
    require(lines.starts_with(field.body) && lines.size() <= field.body.size() + 2);
  }
  require(!scanner.next() && scanner.body() == message.root().body && scanner.has_separator() == message.root().has_separator);
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
  if (message.limit() != mail::Message::Limit::Fields) compare_with_scanner(message);
  return 0;
}
