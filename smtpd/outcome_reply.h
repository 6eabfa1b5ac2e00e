// How the end of a chain is told to the client.
#pragma once

#include <string>
#include <string_view>

#include "lib/chain/message_call.h"
#include "lib/smtp/replies.h"

namespace smtpd {

struct OutcomeReply {
  bool accepts = false;
  bool closes = false;  // a 421
  smtp::WireReply reply;
  std::string complaint;  // for the log: why the outcome could not be believed; "" when it could
};

// The text that the chain reported, made fit for the wire, or the row of its exit code. A text that contradicts the outcome is not
// said: the message was taken all the same if the exit code says so, and else waits at the client's.
// `id` is for "250 2.0.0 Ok: queued as ID" when the chain says nothing itself.
OutcomeReply reply_to(const chain::Outcome& outcome, std::string_view id, bool utf8);

}  // namespace smtpd
