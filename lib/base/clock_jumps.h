// Finds out that somebody has set the wall clock: it has gone apart from a clock that nobody can set, and that goes on while the machine
// sleeps. What is measured by the wall clock over hours, like the age of a message, can make allowance for that.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "lib/base/clock.h"

namespace base {

// CLOCK_BOOTTIME.
[[nodiscard]] std::chrono::milliseconds since_boot();

class ClockJumps {
 public:
  // Less is no jump, but a clock that is being corrected.
  static constexpr auto kLeast = std::chrono::seconds(60);

  // How far the clock was set since the last look, forward or (negative) back; 0: not at all, or this is the first look.
  std::chrono::milliseconds look(WallTime wall = wall_now(), std::chrono::milliseconds steady = since_boot());

 private:
  struct Look {
    WallTime wall;
    std::chrono::milliseconds steady;
  };
  std::optional<Look> last_;
};

// Ages by the wall clock without the time that it has skipped.
class Ages {
 public:
  // It was set forward to `now`, or (negative) back.
  void clock_was_set(std::chrono::milliseconds by, WallTime now);
  // `now` as it would be had the clock not skipped time since `then`: what is measured from `then` on is measured up to there. Never
  // before `then`, unless `now` is.
  [[nodiscard]] WallTime now_for(WallTime then, WallTime now) const;

 private:
  struct Skipped {
    WallTime from, to;
  };
  static constexpr std::size_t kMost = 16;
  std::vector<Skipped> skipped_;  // in the order of their times, which do not overlap; the oldest is forgotten
};

}  // namespace base
