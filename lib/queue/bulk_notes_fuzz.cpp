// The notes of bulk changes, as somebody else may have written them.
#include <cstdint>
#include <cstdlib>

#include "lib/queue/bulk_notes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto id = queue::Id::parse(octets.substr(0, queue::Id::kOctets));
  if (!id) return 0;
  const auto lines = octets.substr(queue::Id::kOctets);
  for (const auto& event : queue::notes_in(lines, *id)) {
    // What is understood is understood again as it is written.
    const auto again = queue::notes_in(id->string() + " " + queue::to_line(event), *id);
    if (again.size() != 1 || again.front().kind != event.kind || again.front().time != event.time) std::abort();
  }
  return 0;
}
