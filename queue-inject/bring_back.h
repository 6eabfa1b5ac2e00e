// A message that rules have delegated comes back from its content filter: it takes the place of the one that waits in delegated/.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/chain/caller.h"
#include "lib/queue/spool.h"
#include "queue-inject/intake.h"

// queue-run, if it has the spool, matches the two; else it is done here. Durable before the answer. `accepted.returned` is there.
// May wait for the disk and for queue-run.
[[nodiscard]] chain::Answer bring_back(std::string_view program, queue::Spool& spool, const Accepted& accepted);

// The same from a loop, many at a time: queue-run makes them durable together. What is no matter for it, since it does not run, is done
// in a thread.
class Returns {
 public:
  // `spool` is borrowed.
  Returns(net::Loop& loop, queue::Spool& spool);
  using Done = std::function<void(chain::Answer)>;
  void bring_back(Accepted accepted, Done done);

 private:
  void in_thread(Accepted accepted, Done done);

  net::Loop& loop_;
  queue::Spool& spool_;
  std::string control_;  // unix:SPOOL/queue-run.sock
  chain::Caller caller_;
};
