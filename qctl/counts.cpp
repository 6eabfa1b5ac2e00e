#include "qctl/counts.h"

#include <algorithm>

namespace qctl {

base::Result<std::vector<QueueCount>> count_queues(const queue::Spool& spool, base::WallTime now) {
  std::vector<QueueCount> counts;
  for (const auto& place : spool.places()) {
    QueueCount count;
    count.place = place;
    const auto listed = queue::View(spool).list(place, [&](const queue::Listed& message) {
      ++count.messages;
      count.octets += message.octets;
      count.in_log += message.is_in_log ? 1 : 0;
      count.due += place.state == queue::State::Deferred && message.modified <= now ? 1 : 0;
      count.oldest = count.oldest ? std::min(*count.oldest, message.arrived) : message.arrived;
      count.ages.add(std::chrono::duration_cast<std::chrono::seconds>(now - message.arrived));
      return true;
    });
    if (!listed) return std::unexpected(listed.error());
    counts.push_back(std::move(count));
  }
  return counts;
}

}  // namespace qctl
