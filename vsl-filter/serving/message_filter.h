// The message call (DESIGN.md 2.1, vsmtp-chain(7)): a filter of a chain.
#pragma once

#include "lib/chain/message_call.h"
#include "vsl-filter/stages/rule_set.h"
#include "vsl-filter/stages/stages.h"

namespace rules {

// The stage that the queue asks for in the context of its call (vsmtp-chain(7)); else preq.
[[nodiscard]] Stage stage_of_call(const chain::Call& call);

// Runs the rules of `stage` on the message of the call and says what the chain does next: passes with what rules have changed, and
// nothing else; refuses; takes the message when nobody is left to get it.
[[nodiscard]] chain::Answer filter_message(const RuleSet& rules, const chain::Invocation& invocation, Stage stage, Trace* trace = nullptr);

}  // namespace rules
