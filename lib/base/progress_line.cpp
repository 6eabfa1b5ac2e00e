#include "lib/base/progress_line.h"

#include <unistd.h>

#include <utility>

#include "lib/base/clock.h"
#include "lib/base/io.h"

namespace base {
namespace {

constexpr std::uint64_t kFirstMilliseconds = 500, kNextMilliseconds = 200;

}  // namespace

ProgressLine::ProgressLine(std::size_t count, std::string_view things)
    : count_(count), things_(things), is_shown_(count > 1 && ::isatty(STDERR_FILENO) == 1), next_(monotonic_milliseconds() + kFirstMilliseconds) {}

void ProgressLine::step() {
  ++done_;
  if (!is_shown_) return;
  const auto now = monotonic_milliseconds();
  if (now < next_) return;
  next_ = now + kNextMilliseconds;
  is_visible_ = true;
  (void)write_all(STDERR_FILENO, "\r" + std::to_string(done_) + " of " + std::to_string(count_) + " " + things_);
}

void ProgressLine::hide() {
  if (std::exchange(is_visible_, false)) (void)write_all(STDERR_FILENO, "\r\x1b[K");
}

}  // namespace base
