// Durations as options of services write them: "200ms", "15s", "1h 30m", "1day".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rules {

// One or more of NUMBER UNIT, with blanks between or not. A number needs its unit. Longest: about 290 million years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// For messages: "250 ms", "2 s", "1 m 30 s".
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace rules
