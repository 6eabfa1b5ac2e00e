// --replace ID: what the call brings takes the place of a message of the spool. The end of a chain of rules that queue-run calls; and
// for an operator, where no queue-run has the spool.
#pragma once

#include <string>

#include "lib/chain/message_call.h"
#include "lib/queue/id.h"
#include "queue-inject/intake.h"

// Where that message is.
struct ReplaceAt {
  std::string spool;
  std::string socket;  // not "": of the queue-run that has called its rules, whose spool is on a broker
};

// queue-run, if it has the spool, takes it for the message whose rules it has called. Else it is done here, durably: into the folder that
// the context names, else deliver/.
[[nodiscard]] chain::Answer replace_message(std::string_view program, const ReplaceAt& where, const queue::Id& id, const IntakeRules& rules, const chain::Invocation& invocation);
