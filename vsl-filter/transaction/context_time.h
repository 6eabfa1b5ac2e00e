// Times in the JSON of a context, as every version wrote them (vsl.md D-05).
#pragma once

#include <optional>
#include <string_view>

#include "lib/base/clock.h"

namespace rules {

// date-time of RFC 3339 section 5.6 with any offset and any number of digits of a second; what nanoseconds cannot tell is cut.
std::optional<base::WallTime> parse_date_time(std::string_view text);

}  // namespace rules
