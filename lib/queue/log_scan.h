// The log as it stands, read by somebody who does not own it: the view, and the reader before it begins.
#pragma once

#include <functional>
#include <vector>

#include "lib/base/result.h"
#include "lib/queue/commit_mark.h"
#include "lib/queue/item.h"
#include "lib/queue/progress.h"
#include "lib/queue/spool.h"

namespace queue {

// The numbers of all segments with records that may count, in order.
[[nodiscard]] base::Result<std::vector<std::uint64_t>> segment_numbers(const Spool& spool);

// A message in the log that is not finished.
struct LiveRecord {
  Item item;
  std::string_view message;  // checked; valid during the call
  std::uint64_t item_octets = 0;
  std::vector<Event> events;
};
// Calls `on_live` for each, oldest first, until it returns false. Segments may be begun, finished and used again
// meanwhile: what is seen is intact, but may be gone a moment later.
[[nodiscard]] base::Result<void> scan_log(const Spool& spool, const std::function<bool(LiveRecord&)>& on_live);

}  // namespace queue
