// Where an executed chain of rules ends that was called for a message on a broker: `queue-inject --through SOCKET --replace ID` brings
// here what it has made of it. Of a spool in a folder that is a request at its socket (requests.h).
#pragma once

#include <functional>
#include <string>

#include "lib/base/result.h"
#include "lib/chain/resident.h"
#include "lib/net/loop.h"
#include "lib/queue/id.h"

namespace run {

class RulesSocket {
 public:
  using OnReplace = std::function<base::Result<void>(const queue::Id&, const chain::Call&)>;
  RulesSocket(net::Loop& loop, OnReplace on_replace);
  ~RulesSocket();  // with its folder

  // In a folder of its own that nobody else may enter: in the first of $RUNTIME_DIRECTORY, else in $TMPDIR or /tmp.
  [[nodiscard]] base::Result<void> listen();
  [[nodiscard]] std::string path() const { return folder_ + "/rules.sock"; }

 private:
  void serve(chain::PendingCall call);

  OnReplace on_replace_;
  std::string folder_;
  chain::ResidentServer server_;
};

}  // namespace run
