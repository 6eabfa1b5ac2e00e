// What qctl top shows: the spool and its queue-run at one moment, and the change since the moment before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qctl/ages.h"
#include "qctl/counts.h"
#include "qctl/run_status.h"

namespace qctl {

struct Snapshot {
  base::WallTime time;
  std::string spool;
  std::vector<QueueCount> queues;
  // Of waiting messages that were read, which are not all of them in a large spool.
  std::uint64_t sampled = 0;
  AgeTable domains, senders, reasons;
  bool is_served = false;
  std::optional<RunStatus> running;  // what queue-run answered
};

inline constexpr std::size_t kSampledMessages = 2000;

[[nodiscard]] base::Result<Snapshot> take_snapshot(const queue::Spool& spool, base::WallTime now);

// Events a second between two snapshots of one queue-run.
struct Rates {
  double taken = 0, sent = 0, deferred = 0, failed = 0;
};
[[nodiscard]] std::optional<Rates> rates_between(const Snapshot& before, const Snapshot& after);

// One line.
[[nodiscard]] std::string as_json(const Snapshot& snapshot);

}  // namespace qctl
