// The context of a message in the canonical form of vsl.md 4.4, brought up to date with what happened since.
#pragma once

#include <span>
#include <string>

#include "lib/queue/view.h"

namespace qctl {

// What smtpd and the rules wrote into the item, with envelop.mail_from, envelop.rcpt[].address and email_status as
// envelope and events have them. `pretty`: over many lines. A context that is no JSON object counts as {}.
[[nodiscard]] std::string canonical_context(const queue::Item& item, std::span<const queue::Event> events, bool pretty);

}  // namespace qctl
