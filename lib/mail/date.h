// date-time of RFC 5322 section 3.3, with the obsolete forms of 4.3 when reading.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/clock.h"

namespace mail {

enum class Zone : std::uint8_t { Utc, Local };

// "Fri, 21 Nov 1997 09:55:06 -0600". A local time needs the time zone file, UTC is arithmetic only.
void append_date_time(std::string& out, base::WallTime time, Zone zone = Zone::Utc);

}  // namespace mail
