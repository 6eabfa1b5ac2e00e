// Whose turn it is: which messages are one sender's. No I/O.
#pragma once

#include <cstdint>
#include <string_view>

namespace run {

// A number for the sender, the same for all reverse-paths that a list makes of one (VERP, tags): of the local-part counts what stands
// before the first + or =, of the domain all but case. Notifications, which have no reverse-path, are one sender's.
[[nodiscard]] std::uint64_t turn_of(std::string_view reverse_path);

}  // namespace run
