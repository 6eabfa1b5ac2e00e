#include "lib/mail/date.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <optional>

#include "lib/base/text.h"
#include "lib/mail/lexer.h"

namespace mail {
namespace {
namespace chrono = std::chrono;

constexpr auto kDays = std::to_array<std::string_view>({"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"});
constexpr auto kMonths = std::to_array<std::string_view>({"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});

struct NamedZone {
  std::string_view name;
  int minutes;
};
// obs-zone  RFC 5322 section 4.3. The single letters but Z were defined wrongly in RFC 822 and mean nothing.
constexpr auto kZones = std::to_array<NamedZone>({
    {"UT", 0}, {"GMT", 0}, {"Z", 0}, {"EST", -300}, {"EDT", -240}, {"CST", -360}, {"CDT", -300}, {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420},
});

// Seconds that local time is ahead of UTC.
chrono::seconds local_offset(base::WallTime time) {
  const auto seconds = chrono::system_clock::to_time_t(time);
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return chrono::seconds(0);
  return chrono::seconds(local.tm_gmtoff);
}

void append_two_digits(std::string& out, unsigned number) {
  out += static_cast<char>('0' + number / 10 % 10);
  out += static_cast<char>('0' + number % 10);
}

std::optional<unsigned> index_of(auto const& names, std::string_view name) {
  for (unsigned i = 0; i < names.size(); ++i)
    if (base::text::equal_ignoring_case(names[i], name)) return i;
  return std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view body) : lexer_(body) {}

  // [ day-of-week "," ] day month year hour ":" minute [ ":" second ] zone [CFWS]
  std::expected<DateTime, DateFault> parse() {
    blanks();
    if (!day_name() || !date() || !clock() || !zone()) return std::unexpected(fault_);
    blanks();
    if (!lexer_.at_end()) return std::unexpected(DateFault{"the end of the date", lexer_.offset()});
    found_.has_wrong_day_name = day_name_ && *day_name_ != chrono::weekday(chrono::sys_days(civil())).c_encoding();
    return found_;
  }

 private:
  bool wants(std::string_view expected) {
    fault_ = {expected, lexer_.offset()};
    return false;
  }

  // A comment may stand at the end only; elsewhere it is obs-*.
  void blanks() {
    (void)lexer_.skip_cfws();
    if (!lexer_.last_comment().empty() && !lexer_.at_end()) found_.is_obsolete = true;
  }

  std::string_view letters() {
    const auto start = lexer_.offset();
    while (base::text::is_alpha(lexer_.peek())) lexer_.advance();
    return lexer_.between(start);
  }

  // 1 to `most` digits; at least `least`, and only digits there.
  std::optional<int> number(std::size_t least, std::size_t most) {
    const auto start = lexer_.offset();
    while (base::text::is_digit(lexer_.peek())) lexer_.advance();
    const auto digits = lexer_.between(start);
    digits_ = digits.size();
    if (digits_ < least || digits_ > most) return std::nullopt;
    return base::text::parse_number<int>(digits);
  }

  bool day_name() {
    if (!base::text::is_alpha(lexer_.peek())) return true;
    const auto start = lexer_.offset();
    day_name_ = index_of(kDays, letters());
    if (!day_name_) {
      fault_ = {"the name of a day, such as Mon", start};
      return false;
    }
    blanks();
    if (!lexer_.consume(',')) return wants("a comma behind the name of the day");
    blanks();
    return true;
  }

  bool date() {
    auto start = lexer_.offset();
    const auto day = number(1, 2);
    blanks();
    const auto month_start = lexer_.offset();
    const auto month = index_of(kMonths, letters());
    if (!day || *day < 1 || *day > 31) return fault_ = {"the day of the month", start}, false;
    if (!month) return fault_ = {"the name of a month, such as Jan", month_start}, false;
    blanks();
    const auto year_start = lexer_.offset();
    const auto year = number(2, 5);
    if (!year || *year > 32767) return fault_ = {"the year in four digits", year_start}, false;
    found_.year = *year;
    if (digits_ < 4) {
      found_.year += digits_ == 3 || *year >= 50 ? 1900 : 2000;  // RFC 5322 section 4.3
      found_.is_obsolete = true;
    }
    found_.month = *month + 1;
    found_.day = static_cast<unsigned>(*day);
    if (!civil().ok()) return fault_ = {"a day that the month has", start}, false;
    blanks();
    return true;
  }

  bool two_digits(unsigned& out, int most, std::string_view expected) {
    const auto start = lexer_.offset();
    const auto value = number(2, 2);
    if (!value || *value > most) return fault_ = {expected, start}, false;
    out = static_cast<unsigned>(*value);
    const auto end = lexer_.offset();
    blanks();
    is_spaced_ = lexer_.offset() > end;
    return true;
  }

  bool colon() {
    found_.is_obsolete |= is_spaced_;
    const auto end = lexer_.offset();
    blanks();
    found_.is_obsolete |= lexer_.offset() > end;
    return true;
  }

  bool clock() {
    if (!two_digits(found_.hour, 23, "the hour in two digits")) return false;
    if (!lexer_.consume(':')) return wants("a colon and the minute");
    if (!colon() || !two_digits(found_.minute, 59, "the minute in two digits")) return false;
    if (!lexer_.consume(':')) return true;
    return colon() && two_digits(found_.second, 60, "the second in two digits");
  }

  bool zone() {
    const auto start = lexer_.offset();
    const char sign = lexer_.peek();
    if (sign == '+' || sign == '-') {
      lexer_.advance();
      const auto value = number(4, 4);
      if (!value || *value % 100 > 59) return fault_ = {"a zone such as +0100", start}, false;
      found_.zone_minutes = (*value / 100 * 60 + *value % 100) * (sign == '-' ? -1 : 1);
      found_.is_zone_known = !(sign == '-' && *value == 0);
      return true;
    }
    const auto name = letters();
    if (name.empty()) return fault_ = {"a zone such as +0100", start}, false;
    found_.is_obsolete = true;
    found_.is_zone_known = false;
    for (const auto& zone : kZones) {
      if (!base::text::equal_ignoring_case(zone.name, name)) continue;
      found_.zone_minutes = zone.minutes;
      found_.is_zone_known = true;
    }
    return true;
  }

  [[nodiscard]] chrono::year_month_day civil() const {
    return {chrono::year(found_.year), chrono::month(found_.month), chrono::day(found_.day)};
  }

  Lexer lexer_;
  DateTime found_;
  DateFault fault_;
  std::optional<unsigned> day_name_;
  std::size_t digits_ = 0;
  bool is_spaced_ = false;
};

}  // namespace

void append_date_time(std::string& out, base::WallTime time, Zone zone) {
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

chrono::sys_seconds DateTime::time() const {
  const chrono::sys_days date = chrono::year_month_day(chrono::year(year), chrono::month(month), chrono::day(day));
  return date + chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second) - chrono::minutes(zone_minutes);
}

std::expected<DateTime, DateFault> parse_date_time(std::string_view body) { return Parser(body).parse(); }

}  // namespace mail
