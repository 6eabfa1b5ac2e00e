#include "lib/base/clock.h"

#include <cstdio>
#include <ctime>

namespace base {

std::uint64_t monotonic_milliseconds() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

std::string to_rfc3339(WallTime time) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(microseconds / 1'000'000);
  std::tm utc;
  ::gmtime_r(&seconds, &utc);
  char text[80];
  const auto length = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                                    utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(microseconds % 1'000'000));
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace base
