// Why a message is where it is: sentences made of its context, its events and what queue-run knows of its destinations. No I/O.
#pragma once

#include <string>
#include <vector>

#include "lib/queue/view.h"
#include "qctl/run_status.h"

namespace qctl {

struct Surroundings {
  base::WallTime now;
  bool is_served = false;            // a queue-run has the spool
  std::optional<RunStatus> running;  // what it answered
};

// One a line, in the order in which they matter. They hold text of strangers: print them with printable_text().
[[nodiscard]] std::vector<std::string> reasons_of(const queue::Seen& seen, const Surroundings& around);

}  // namespace qctl
