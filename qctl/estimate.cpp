#include "qctl/estimate.h"

#include <algorithm>
#include <array>

#include "lib/queue/control.h"
#include "lib/queue/view.h"

namespace qctl {
namespace {

constexpr auto kLimits = [] {
  std::array<std::chrono::seconds, kAgeLimits.size()> limits{};
  for (std::size_t i = 0; i < limits.size(); ++i) limits[i] = std::chrono::minutes(kAgeLimits[i]);
  return limits;
}();

std::optional<Glance> ask_queue_run(const queue::Spool& spool) {
  constexpr std::uint64_t kPatienceMilliseconds = 1000;
  const auto summary = queue::Control(spool, kPatienceMilliseconds).summary(kLimits);
  if (!summary) return std::nullopt;
  Glance glance{.counts = {}, .oldest = summary->oldest, .octets = summary->octets, .next_attempt = summary->next_attempt};
  glance.counts.total = summary->messages;
  std::ranges::copy(summary->by_age, glance.counts.by_age.begin());
  return glance;
}

}  // namespace

base::Result<bool> is_large(const queue::Spool& spool, const queue::Place& place) {
  std::size_t count = 0;
  const auto listed = spool.list_names(place, [&](const queue::Id&) { return ++count <= kMostRead; });
  if (!listed) return std::unexpected(listed.error());
  return count > kMostRead;
}

base::Result<Glance> glance_at(const queue::Spool& spool, const queue::Place& place, base::WallTime now) {
  if (place.state == queue::State::Deferred)
    if (const auto glance = ask_queue_run(spool)) return *glance;
  Glance glance;
  const auto add = [&](const queue::Id& id) {
    glance.counts.add(std::chrono::duration_cast<std::chrono::seconds>(now - id.time()));
    if (!glance.oldest || id < *glance.oldest) glance.oldest = id;
    return true;
  };
  const auto listed = place.state == queue::State::Working ? queue::View(spool).list(place, [&](const queue::Listed& one) { return add(one.id); })
                                                           : spool.list_names(place, add);
  if (!listed) return std::unexpected(listed.error());
  return glance;
}

}  // namespace qctl
