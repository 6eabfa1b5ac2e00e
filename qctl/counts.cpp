#include "qctl/counts.h"

#include <algorithm>

#include "lib/queue/catalog.h"

namespace qctl {
namespace {

void add(QueueCount& count, const queue::Listed& message, base::WallTime now) {
  ++count.messages;
  count.octets += message.octets;
  count.in_log += message.is_in_log ? 1 : 0;
  count.due += message.place.state == queue::State::Deferred && message.modified <= now ? 1 : 0;
  count.oldest = count.oldest ? std::min(*count.oldest, message.arrived) : message.arrived;
  count.ages.add(std::chrono::duration_cast<std::chrono::seconds>(now - message.arrived));
}

base::Result<QueueCount> count_queue(const queue::Spool& spool, const queue::Place& place, base::WallTime now) {
  QueueCount count;
  count.place = place;
  if (place.state == queue::State::Deferred) {
    const auto whole = queue::whole_catalog(spool);
    if (whole && queue::count_catalog(whole->catalog, [&](const queue::Brief& brief) { add(count, brief.listed, now); })) return count;
    count = {};
    count.place = place;
  }
  const auto listed = queue::View(spool).list(place, [&](const queue::Listed& message) { return add(count, message, now), true; });
  if (!listed) return std::unexpected(listed.error());
  return count;
}

}  // namespace

base::Result<std::vector<QueueCount>> count_queues(const queue::Spool& spool, base::WallTime now) {
  std::vector<QueueCount> counts;
  for (const auto& place : spool.places()) {
    auto count = count_queue(spool, place, now);
    if (!count) return std::unexpected(count.error());
    counts.push_back(std::move(*count));
  }
  return counts;
}

}  // namespace qctl
