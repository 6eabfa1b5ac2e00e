// DKIM signatures of a message that rules may still be changing.
#pragma once

#include <memory>
#include <string>

#include "lib/authn/dkim.h"
#include "vsl-filter/transaction/transaction.h"

namespace rules {

// Of the message as it is now: what stands behind "DKIM-Signature: ".
[[nodiscard]] base::Result<std::string> signature_of(const Message& message, const authn::PrivateKey& key, const authn::dkim::SignOptions& options);
// Puts one on top of the transaction's message, and notes it for renew_signatures().
[[nodiscard]] base::Result<void> add_signature(Transaction& transaction, std::shared_ptr<const authn::PrivateKey> key, authn::dkim::SignOptions options);
// When the rules of a stage are through: signatures of a message that was changed behind them are replaced by ones that hold. The
// error leaves the message without them.
[[nodiscard]] base::Result<void> renew_signatures(Transaction& transaction);

}  // namespace rules
