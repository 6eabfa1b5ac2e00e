#include "queue-run/retry.h"

#include <algorithm>

#include "lib/base/clock_jumps.h"

namespace run {

base::WallTime next_attempt(const RetryPolicy& policy, const queue::Id& id, base::WallTime arrived, base::WallTime now) {
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - arrived);
  auto wait = std::max(policy.least, std::min(age, policy.most));
  const auto share = static_cast<std::int64_t>(std::hash<queue::Id>()(id) % 1000);
  wait += wait * share / 10'000;
  const auto warning = arrived + policy.warning;  // the sender is warned behind an attempt
  if (now < warning && now + wait > warning) return std::min(warning, arrived + policy.lifetime);
  const auto end = arrived + policy.lifetime;  // one last attempt then, not hours later
  return now < end ? std::min(now + wait, end) : now + wait;
}

base::WallTime due_time(base::WallTime next, base::WallTime set, base::WallTime now) {
  const bool was_set_back = set > now + base::ClockJumps::kLeast && next > set;  // else by another clock than that of the file system
  return was_set_back ? std::min(next, now + (next - set)) : next;
}

}  // namespace run
