// Items as they may lie in a spool: what is parsed must be what was written, and nothing may be read beyond the end.
#include <cstdint>
#include <cstdlib>

#include "lib/queue/item.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  std::uint64_t offset = 0;
  const auto item = queue::parse_item(octets, octets.size(), offset);
  if (!item) {
    if (item.error().fault != base::Fault::Permanent) std::abort();  // all of it was there
    return 0;
  }
  if (offset > size || item->message_octets != size - offset) std::abort();
  if (queue::to_octets(*item) != octets.substr(0, offset)) std::abort();
  return 0;
}
