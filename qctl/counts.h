// How much is in each queue, without reading a message. Of a large deferred/ what its catalog says.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/queue/view.h"
#include "qctl/ages.h"

namespace qctl {

struct QueueCount {
  queue::Place place;
  std::uint64_t messages = 0, octets = 0;  // of the items: a little more than the messages
  std::uint64_t in_log = 0;
  std::uint64_t due = 0;                   // of deferred/: whose next attempt is now
  std::optional<base::WallTime> oldest;    // arrival
  AgeCounts ages;
};
// All queues, those without messages too.
[[nodiscard]] base::Result<std::vector<QueueCount>> count_queues(const queue::Spool& spool, base::WallTime now);

}  // namespace qctl
