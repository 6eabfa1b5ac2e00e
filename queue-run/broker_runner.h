// The work of queue-run on a broker, turn by turn: what comes from it is delivered, until it is told to end or, with --drain, until
// nothing waits there that is due. Several of them, on several hosts, share the queues of one broker.
#pragma once

#include <memory>
#include <optional>

#include "lib/net/loop.h"
#include "queue-run/broker_keeper.h"
#include "queue-run/deliveries.h"
#include "queue-run/runner.h"

namespace run {

class BrokerRunner {
 public:
  BrokerRunner(net::Loop& loop, const broker::Setup& setup, std::uint16_t prefetch, const Runner::Settings& settings);
  ~BrokerRunner();
  // No new deliveries; what has not begun goes back to the broker. Ends the loop when the open ones have ended, at the latest after
  // stop_timeout.
  void stop();
  [[nodiscard]] bool was_cut_short() const { return was_cut_short_; }
  // The end of a chain of rules that was called for this message.
  [[nodiscard]] base::Result<void> replace(const queue::Id& id, const chain::Call& call) { return deliveries_->give_from_rules(id, call); }

 private:
  void turn();
  void ask_whether_empty();
  void finish();
  void set_timer(Milliseconds now);
  [[nodiscard]] bool is_idle() const;

  net::Loop& loop_;
  Runner::Settings settings_;
  net::Timer timer_;
  net::Timer stop_timer_;
  net::Timer drain_timer_;
  std::unique_ptr<BrokerKeeper> keeper_;
  std::unique_ptr<Deliveries> deliveries_;
  Milliseconds timer_is_for_ = kNever;
  std::size_t taken_ = 0;           // messages that came
  std::size_t taken_when_empty_ = 0;
  unsigned empty_looks_ = 0;        // in a row
  bool has_more_to_start_ = false;
  bool is_stopping_ = false;
  bool has_ended_ = false;
  bool was_cut_short_ = false;
};

}  // namespace run
