#include "lib/base/clock_jumps.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace base {

using std::chrono::milliseconds;

milliseconds since_boot() {
  timespec time;
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + milliseconds(time.tv_nsec / 1'000'000);
}

milliseconds ClockJumps::look(WallTime wall, milliseconds steady) {
  const auto last = std::exchange(last_, Look{wall, steady});
  if (!last) return milliseconds(0);
  const auto apart = std::chrono::duration_cast<milliseconds>(wall - last->wall) - (steady - last->steady);
  return std::chrono::abs(apart) < kLeast ? milliseconds(0) : apart;
}

void Ages::clock_was_set(milliseconds by, WallTime now) {
  if (by.count() > 0) {
    if (skipped_.size() == kMost) skipped_.erase(skipped_.begin());
    skipped_.push_back({now - by, now});
    return;
  }
  // What was skipped behind that moment lies ahead again.
  std::erase_if(skipped_, [now](const Skipped& one) { return one.from >= now; });
  for (auto& one : skipped_) one.to = std::min(one.to, now);
}

WallTime Ages::now_for(WallTime then, WallTime now) const {
  WallTime::duration skipped{0};
  for (const auto& one : skipped_)
    if (one.to > then && one.to <= now) skipped += one.to - std::max(one.from, then);
  return now - skipped;
}

}  // namespace base
