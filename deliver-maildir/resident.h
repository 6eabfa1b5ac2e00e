// The resident life: calls that come while one batch is being delivered make up the next, so that their syncs are shared
// the more, the more there is to do. A batch has its names in new/ made durable together with the files of the next one.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "deliver-maildir/calls.h"
#include "deliver-maildir/deliverer.h"
#include "lib/chain/resident.h"
#include "lib/net/loop.h"

namespace maildir {

struct Batching {
  std::size_t files = 256;  // so many recipients are delivered together; their files are open at once
  // Each step costs the disk a flush, which others wait for too, and a message from the queue is safe already: it waits so long for
  // company. A client of --direct waits for its 250, and no longer than it must.
  std::uint64_t gather_milliseconds = 25;
};

class Resident {
 public:
  Resident(net::Loop& loop, Deliverer deliverer, CallRules rules, const Batching& batching);

  [[nodiscard]] base::Result<void> listen(const std::string& socket_path) { return server_.listen(socket_path); }
  [[nodiscard]] chain::ResidentServer& server() { return server_; }

 private:
  struct Job {
    chain::PendingCall call;
    Parcel parcel;
  };
  void take(chain::PendingCall call);
  static bool is_awaited(const Job& job);  // by a client
  void step();
  void end_step();

  net::Loop& loop_;
  Deliverer deliverer_;
  CallRules rules_;
  Batching batching_;
  std::vector<Job> waiting_;
  bool is_resting_ = false;  // between two steps
  net::Timer gathering_;
  // While a thread works, the next two and deliverer_ are its own.
  bool is_working_ = false;
  std::vector<Job> batch_;      // files that are being written
  std::vector<Job> published_;  // the batch before: their names are being made durable
  chain::ResidentServer server_;
};

// One line for each recipient, and why it did not get the message.
void log_parcel(const Parcel& parcel);

}  // namespace maildir
