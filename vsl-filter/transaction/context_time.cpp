#include "vsl-filter/transaction/context_time.h"

#include <chrono>

#include "lib/base/text.h"

namespace rules {
namespace {

namespace text = base::text;
namespace chrono = std::chrono;

// time-secfrac = "." 1*DIGIT
std::optional<chrono::nanoseconds> consume_fraction(std::string_view& rest) {
  if (!text::consume(rest, ".")) return chrono::nanoseconds(0);
  std::int64_t nanoseconds = 0, unit = 100'000'000;
  if (rest.empty() || !text::is_digit(rest.front())) return std::nullopt;
  for (; !rest.empty() && text::is_digit(rest.front()); rest.remove_prefix(1), unit /= 10) nanoseconds += (rest.front() - '0') * unit;
  return chrono::nanoseconds(nanoseconds);
}

// time-offset = "Z" / ("+" / "-") time-hour ":" time-minute; all of `rest`
std::optional<chrono::minutes> offset_of(std::string_view rest) {
  if (rest == "Z" || rest == "z") return chrono::minutes(0);
  const bool is_west = text::consume(rest, "-");
  if (!is_west && !text::consume(rest, "+")) return std::nullopt;
  const auto hours = text::consume_digits(rest, 2);
  const bool has_colon = text::consume(rest, ":");
  const auto minutes = text::consume_digits(rest, 2);
  if (!hours || !has_colon || !minutes || !rest.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  const auto offset = chrono::hours(*hours) + chrono::minutes(*minutes);
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<base::WallTime> parse_date_time(std::string_view rest) {
  const auto number = [&rest](std::size_t digits, std::string_view separator) -> int {
    const auto read = text::consume_digits(rest, digits);
    if (!read || !text::consume(rest, separator)) return -1;
    return *read;
  };
  const int year = number(4, "-"), month = number(2, "-"), day = number(2, "");
  if (!text::consume(rest, "T") && !text::consume(rest, "t") && !text::consume(rest, " ")) return std::nullopt;
  const int hour = number(2, ":"), minute = number(2, ":"), second = number(2, "");
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const chrono::year_month_day date{chrono::year(year), chrono::month(static_cast<unsigned>(month)), chrono::day(static_cast<unsigned>(day))};
  // WallTime counts nanoseconds in 64 bits, which end in April 2262.
  if (!date.ok() || year < 1678 || year > 2261) return std::nullopt;
  const auto fraction = consume_fraction(rest);
  const auto offset = offset_of(rest);
  if (!fraction || !offset) return std::nullopt;
  return base::WallTime(chrono::sys_days(date)) + chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second) + *fraction - *offset;
}

}  // namespace rules
