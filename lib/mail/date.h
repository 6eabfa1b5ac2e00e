// date-time of RFC 5322 section 3.3, with the obsolete forms of 4.3 when reading.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "lib/base/clock.h"

namespace mail {

enum class Zone : std::uint8_t { Utc, Local };

// "Fri, 21 Nov 1997 09:55:06 -0600". A local time needs the time zone file, UTC is arithmetic only.
void append_date_time(std::string& out, base::WallTime time, Zone zone = Zone::Utc);

struct DateTime {
  int year = 0;
  unsigned month = 0, day = 0;                // from 1
  unsigned hour = 0, minute = 0, second = 0;  // second 60 is a leap second
  int zone_minutes = 0;                       // that the clock was ahead of UTC
  bool is_zone_known = true;                  // false: -0000, or letters that name no zone (RFC 5322 section 4.3)
  bool is_obsolete = false;                   // two- or three-digit year, named zone, comments or blanks inside
  bool has_wrong_day_name = false;

  // A leap second is the first second of the next minute.
  [[nodiscard]] std::chrono::sys_seconds time() const;
};

struct DateFault {
  std::string_view expected;  // "day of the month", "zone"
  std::size_t offset = 0;     // where in the body
};

// The whole body of a Date field, folded or not, in UTC or any zone; nothing but CFWS may follow.
std::expected<DateTime, DateFault> parse_date_time(std::string_view body);

}  // namespace mail
