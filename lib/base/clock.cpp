#include "lib/base/clock.h"

#include <ctime>

#include "lib/base/text.h"

namespace base {

std::uint64_t monotonic_milliseconds() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

// By hand: every log line and context has one, and snprintf would be most of its price.
std::string to_rfc3339(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);  // down, also before 1970
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm utc;
  ::gmtime_r(&seconds, &utc);
  std::string text = "0000-00-00T00:00:00.000000Z";
  const auto put = [&](std::size_t at, std::size_t digits, long number) {
    for (std::size_t i = digits; i-- > 0; number /= 10) text[at + i] = static_cast<char>('0' + number % 10);
  };
  put(0, 4, utc.tm_year + 1900);
  put(5, 2, utc.tm_mon + 1);
  put(8, 2, utc.tm_mday);
  put(11, 2, utc.tm_hour);
  put(14, 2, utc.tm_min);
  put(17, 2, utc.tm_sec);
  put(20, 6, std::chrono::duration_cast<std::chrono::microseconds>(time - whole).count());
  return text;
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  // The places of the digits; all else must stand as here.
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.ddddddZ";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == 'd' ? !text::is_digit(text[i]) : text[i] != kForm[i]) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t count) { return *text::parse_number<int>(text.substr(at, count)); };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)), std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  // WallTime counts nanoseconds in 64 bits, which end in April 2262.
  const bool is_counted = day.year() >= std::chrono::year(1678) && day.year() <= std::chrono::year(2261);
  if (!day.ok() || !is_counted || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return WallTime(std::chrono::sys_days(day)) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) +
         std::chrono::microseconds(number(20, 6));
}

}  // namespace base
