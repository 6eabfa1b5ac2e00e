// A queue of a million messages at a glance: counted by names, or by queue-run, which knows; not read.
#pragma once

#include <optional>

#include "lib/queue/spool.h"
#include "qctl/ages.h"

namespace qctl {

inline constexpr std::size_t kMostRead = 20'000;  // messages of a queue that a summary reads
inline constexpr std::size_t kSample = 4'000;     // messages that it reads of a larger queue

// Whether a queue has more than kMostRead files. Stops counting there.
[[nodiscard]] base::Result<bool> is_large(const queue::Spool& spool, const queue::Place& place);

struct Glance {
  AgeCounts counts;
  std::optional<queue::Id> oldest;
  std::optional<std::uint64_t> octets;               // only queue-run knows them
  std::optional<base::WallTime> next_attempt;        // likewise
};
[[nodiscard]] base::Result<Glance> glance_at(const queue::Spool& spool, const queue::Place& place, base::WallTime now);

}  // namespace qctl
