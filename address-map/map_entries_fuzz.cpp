// Maps of all formats, includes and compiled entries: what is read is written and read again as the same.
#include <cstdlib>

#include "address-map/entries.h"

using namespace address_map;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto format : {Format::Aliases, Format::Virtual, Format::Recipients}) {
    const auto entries = parse_map(format, text, "map");
    if (!entries) continue;
    for (const auto& entry : *entries) {
      const auto again = parse_octets(to_octets(entry.targets));
      if (!again || *again != entry.targets || entry.key != key_of(entry.key)) std::abort();
    }
  }
  if (const auto targets = parse_include(text, "include")) {
    const auto again = parse_octets(to_octets(*targets));
    if (!again || *again != *targets) std::abort();
  }
  (void)parse_octets(text);
  return 0;
}
