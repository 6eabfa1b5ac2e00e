// What a policy answers: the actions of Postfix's access(5), as far as an SMTP server can do them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace chain {

struct PolicyAction {
  enum class Kind : std::uint8_t {
    Dunno,          // ask the next policy
    Ok,             // nobody else is asked at this stage
    Refuse,         // REJECT, DEFER, 4NN, 5NN
    DeferIfPermit,  // a temporary refusal if nobody refuses
    DeferIfReject,  // if somebody refuses for good, a temporary refusal instead
    Discard,        // say that all is well, and throw the message away
    Hold,           // queue the message, but do not deliver it
    Prepend,        // a header field for the message
    Redirect,       // the message goes to this address only
    Copy,           // BCC: and to this one too
    Filter,         // the message goes to this server next, whoever it is for
    Info,
    Warn,
  };
  Kind kind = Kind::Dunno;
  // Of a refusal the whole reply, "450 4.7.1 come back later"; of a Filter the target as ForwardTarget reads it (transfer.h); else what
  // stood behind the word: a header field, an address, a text for the log.
  std::string text;

  [[nodiscard]] bool is_temporary() const { return text.starts_with('4'); }  // of a refusal
};

// `text` is the value of the attribute `action`. Words are taken in either case. The error quotes what it is not.
[[nodiscard]] base::Result<PolicyAction> parse_action(std::string_view text);

}  // namespace chain
