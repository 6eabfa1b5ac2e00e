// The socket SPOOL/queue-run.sock: what an operator asks of a running queue-run, usually by qctl (queue::Control).
// A message call with a command as arguments; queue-run(8) lists them.
#pragma once

#include "lib/chain/resident.h"
#include "lib/net/loop.h"
#include "lib/queue/spool.h"
#include "queue-run/runner.h"

namespace run {

class Requests {
 public:
  Requests(net::Loop& loop, Runner& runner);
  [[nodiscard]] base::Result<void> listen(const queue::Spool& spool);

 private:
  Runner& runner_;
  chain::ResidentServer server_;
};

}  // namespace run
