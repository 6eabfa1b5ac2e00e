// The state token: what rules have learnt and set in the stages of a session, on its way to the stage of the message, where any
// process may take it up (DESIGN.md 2.2). Text of A-Z a-z 0-9 - _ only, so that it fits an attribute of the policy protocol and a
// member of the context; the session's own facts, which smtpd says each time, are not in it.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

inline constexpr std::size_t kMaxStateOctets = 48 << 10;  // of the token

// `key`: "" for a checksum, which finds accidents; else a secret of all processes of the rules, and nobody else can make a
// token. Fault::Permanent: rules have set more than a token can carry.
[[nodiscard]] base::Result<std::string> to_state(const Session& session, std::string_view key = {});

// Into a session whose facts and envelope are known already; those win where both say something. The message must not have been
// given to the session yet. No octets at all are the state of a new session. Fault::Temporary: no token, or a damaged one, or
// one that was made with another key; the session is as it was.
[[nodiscard]] base::Result<void> from_state(Session& session, std::string_view token, std::string_view key = {});

}  // namespace rules
