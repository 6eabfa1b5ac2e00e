// Messages that content filters bring back (vsl.md 2.7): what comes in on the receiver of a service of the rules.
#pragma once

#include <expected>
#include <string>

#include "vsl-filter/services/smtp.h"
#include "vsl-filter/stages/rule_set.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

// The session has the message, which is without its fields of delegation then, and says whose return it is; else why it is none, as a
// reply. No rules run on it: they go on at the directive that has delegated it, when the queue has matched the two.
[[nodiscard]] std::expected<void, std::string> take_return(const RuleSet& rules, const SmtpService& service, Session& session);

}  // namespace rules
