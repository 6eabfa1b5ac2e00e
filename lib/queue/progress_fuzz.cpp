// Lines of progress files and of the log's journals, as crashes and people may leave them.
#include <cstdint>
#include <cstdlib>

#include "lib/queue/progress.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto events = queue::parse_events(octets);
  (void)queue::sum_up(events, 3);
  for (const auto& event : events) {
    const auto line = queue::to_line(event);
    if (line.empty() || line.find('\n') != line.size() - 1) std::abort();
    const auto again = queue::parse_event(std::string_view(line).substr(0, line.size() - 1));
    if (!again || again->kind != event.kind || again->recipient != event.recipient || again->time != event.time) std::abort();
  }
  return 0;
}
