// What rules have done to a session, as the one action a question that Postfix takes (its access(5)).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vsl-filter/transaction/transaction.h"

namespace rules {

// What Postfix has been told of: fields to put in front, recipients to add.
struct ToldPostfix {
  std::vector<std::string> fields, copies;
};

enum class PostfixState : std::uint8_t {
  Before,        // more recipients may come
  Data,          // all recipients are known
  EndOfMessage,  // and its header has been taken: no field can be put in front any more
};

// "HOLD ...", "DISCARD ...", "REDIRECT ...", "FILTER ...", "PREPEND ...", "BCC ..."; "OK" or "DUNNO" if there is nothing, or nothing
// more, to tell. What no action can say is logged. Refusals are the caller's.
[[nodiscard]] std::string postfix_action(Session& session, ToldPostfix& told, PostfixState state);

}  // namespace rules
