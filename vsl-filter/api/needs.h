// What functions need of the system beyond their arguments: flags of their rows, above those of api.h, for who shuts the rules in.
#pragma once

#include "vsl-filter/api/api.h"

namespace rules {

inline constexpr std::uint16_t kStarts = vsl::kStage << 6;  // programs, or what the system says of its users: nothing for a sandbox
inline constexpr std::uint16_t kKeeps = vsl::kStage << 7;   // in rules.state_directory
inline constexpr std::uint16_t kWrites = vsl::kStage << 8;  // to rules.app_directory
inline constexpr std::uint16_t kQueues = vsl::kStage << 9;  // to queue.spool

}  // namespace rules
