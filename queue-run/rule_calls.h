// The calls of the chain of rules behind the queue (queue.rules).
#pragma once

#include <string>

#include "lib/chain/caller.h"
#include "lib/net/loop.h"
#include "queue-run/message.h"
#include "queue-run/rules_stage.h"

namespace run {

struct RulesSettings {
  chain::Words chain;  // empty: there are no rules
  chain::Words end;    // of a chain that is exec'd, without the id that stands behind it
  RulesStages stages;
  Schedule::TransportLimits limits;
  std::uint64_t timeout_milliseconds = 120'000;
};

// Whether one of the chain is exec'd: it cannot answer with what it has changed, as a resident one does.
[[nodiscard]] bool has_program(const chain::Words& words);

class RuleCalls {
 public:
  RuleCalls(net::Loop& loop, RulesSettings settings);

  [[nodiscard]] const RulesSettings& settings() const { return settings_; }
  [[nodiscard]] bool is_on() const { return !settings_.chain.empty(); }

  // The octets of `message` are there. Returns a handle for cancel().
  std::uint64_t call(const Message& message, const std::string& context, chain::Caller::Done done);
  void cancel(std::uint64_t call) { caller_.cancel(call, true); }

 private:
  RulesSettings settings_;
  bool needs_end_ = false;  // has_program()
  chain::Caller caller_;
};

}  // namespace run
