// The message call and the session question, answered by the maps. No I/O but what Maps does.
#pragma once

#include <functional>

#include "address-map/expansion.h"
#include "lib/chain/message_call.h"

namespace address_map {

// The message for some of its recipients. All groups but the last are sent on by who makes them; the last one passes.
struct Group {
  std::string envelope, context;
};

// What becomes of a call. Nothing: all recipients are as they were. Errors as of Expander::expand(), and Fault::Permanent: the
// envelope or the context is none.
[[nodiscard]] base::Result<std::vector<Group>> regroup(const Expander& expander, const chain::Call& call);

// "550 5.1.1 ...", "DUNNO", "451 4.3.5 ...": the action for a question (policy.h).
[[nodiscard]] std::string action_for(const Expander& expander, const Rules& rules, bool knows_mailboxes, std::string_view question);

}  // namespace address_map
