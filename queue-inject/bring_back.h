// A message that rules have delegated comes back from its content filter: it takes the place of the one that waits in delegated/.
#pragma once

#include <string_view>

#include "lib/chain/message_call.h"
#include "lib/queue/spool.h"
#include "queue-inject/intake.h"

// queue-run, if it has the spool, matches the two; else it is done here. Durable before the answer. `accepted.returned` is there.
// May wait for the disk and for queue-run.
[[nodiscard]] chain::Answer bring_back(std::string_view program, queue::Spool& spool, const Accepted& accepted);
