// Time. Wall time for what people and other hosts read, monotonic time for limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

using WallTime = std::chrono::system_clock::time_point;

inline WallTime wall_now() { return std::chrono::system_clock::now(); }
std::uint64_t monotonic_milliseconds();

// "2026-11-21T20:15:00.123456Z" (RFC 3339, UTC).
std::string to_rfc3339(WallTime time);
// Reads that form: UTC, six digits of a second, nothing else.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace base
