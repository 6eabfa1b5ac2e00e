// A queue of a million messages at a glance: counted by names, or by queue-run, which knows; not read.
#pragma once

#include <functional>
#include <optional>

#include "lib/queue/spool.h"
#include "qctl/ages.h"
#include "qctl/entry.h"

namespace qctl {

inline constexpr std::size_t kMostRead = 20'000;  // messages of a queue that a summary reads
inline constexpr std::size_t kSample = 4'000;     // messages that it reads of a larger queue

// Whether a queue has more than kMostRead files. Stops counting there.
[[nodiscard]] base::Result<bool> is_large(const queue::Spool& spool, const queue::Place& place);

struct Glance {
  AgeCounts counts;
  std::optional<queue::Id> oldest;
  std::optional<std::uint64_t> octets;               // known to queue-run and the catalog of deferred/ only
  std::optional<base::WallTime> next_attempt;        // likewise
};
// `on_sample`, if given, is called with about kSample of the messages.
[[nodiscard]] base::Result<Glance> glance_at(const queue::Spool& spool, const queue::Place& place, base::WallTime now,
                                             const std::function<void(const Entry&)>& on_sample = {});

}  // namespace qctl
