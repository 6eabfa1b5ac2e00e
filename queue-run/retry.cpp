#include "queue-run/retry.h"

#include <algorithm>

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

}  // namespace run
