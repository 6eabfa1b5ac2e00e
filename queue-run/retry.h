// When a message is tried again, and when no more. Needs nothing but the time it arrived: a message waits for as long
// again as it has been waiting, so that the time between attempts doubles, within bounds.
#pragma once

#include <chrono>
#include <cstdint>

#include "lib/base/clock.h"
#include "lib/queue/id.h"

namespace run {

struct RetryPolicy {
  std::chrono::milliseconds least{300'000};           // queue.retry_min
  std::chrono::milliseconds most{14'400'000};         // queue.retry_max
  std::chrono::milliseconds lifetime{432'000'000};    // queue.lifetime; RFC 5321 section 4.5.4.1: at least 4-5 days
  std::chrono::milliseconds warning{0};               // queue.delay_warning: there is an attempt at that age; 0: none
};

// At most a tenth later than the rule says, by the message's id: those that failed together come back apart.
[[nodiscard]] base::WallTime next_attempt(const RetryPolicy& policy, const queue::Id& id, base::WallTime arrived, base::WallTime now);

// When a file is due that says `next`, by the time when that was set: if that lies ahead, the clock was set back meanwhile, and the
// file waits for as long as it was to wait.
[[nodiscard]] base::WallTime due_time(base::WallTime next, base::WallTime set, base::WallTime now);

// It has been tried for long enough; what is put off now fails for good.
[[nodiscard]] inline bool is_too_old(const RetryPolicy& policy, base::WallTime arrived, base::WallTime now) {
  return now - arrived >= policy.lifetime;
}

}  // namespace run
