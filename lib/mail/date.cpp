#include "lib/mail/date.h"

#include <array>
#include <chrono>
#include <ctime>

namespace mail {
namespace {

constexpr auto kDays = std::to_array<std::string_view>({"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"});
constexpr auto kMonths = std::to_array<std::string_view>({"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});

// Seconds that local time is ahead of UTC.
std::chrono::seconds local_offset(base::WallTime time) {
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return std::chrono::seconds(0);
  return std::chrono::seconds(local.tm_gmtoff);
}

void append_two_digits(std::string& out, unsigned number) {
  out += static_cast<char>('0' + number / 10 % 10);
  out += static_cast<char>('0' + number % 10);
}

}  // namespace

void append_date_time(std::string& out, base::WallTime time, Zone zone) {
  namespace chrono = std::chrono;
  const auto offset = zone == Zone::Local ? local_offset(time) : chrono::seconds(0);
  const auto local = chrono::floor<chrono::seconds>(time) + offset;
  const auto days = chrono::floor<chrono::days>(local);
  const chrono::year_month_day date(days);
  const chrono::hh_mm_ss<chrono::seconds> clock(local - days);
  out += kDays[chrono::weekday(days).c_encoding()];
  out += ", ";
  append_two_digits(out, static_cast<unsigned>(date.day()));
  out += ' ';
  out += kMonths[static_cast<unsigned>(date.month()) - 1];
  out += ' ';
  out += std::to_string(static_cast<int>(date.year()));
  out += ' ';
  append_two_digits(out, static_cast<unsigned>(clock.hours().count()));
  out += ':';
  append_two_digits(out, static_cast<unsigned>(clock.minutes().count()));
  out += ':';
  append_two_digits(out, static_cast<unsigned>(clock.seconds().count()));
  out += offset < chrono::seconds(0) ? " -" : " +";
  const auto ahead_minutes = static_cast<unsigned>(chrono::abs(chrono::duration_cast<chrono::minutes>(offset)).count());
  append_two_digits(out, ahead_minutes / 60);
  append_two_digits(out, ahead_minutes % 60);
}

}  // namespace mail
