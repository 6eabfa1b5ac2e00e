#include "vsl-filter/transaction/signing.h"

#include <utility>

#include "lib/authn/findings.h"

namespace rules {
namespace {

constexpr std::string_view kField = "DKIM-Signature";

// b= says which one it is: blanks and line ends are no part of it.
std::string field_key(std::string_view body) {
  std::string key;
  for (const char c : body)
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') key += c;
  return key;
}

void remove_signature(HeaderList& header, const std::string& body) {
  using What = HeaderList::Edit::What;
  const std::string meant = field_key(body);
  header.edit(kField, [&](std::string_view other) { return HeaderList::Edit{field_key(other) == meant ? What::Remove : What::Keep, {}}; });
}

}  // namespace

base::Result<std::string> signature_of(const Message& message, const authn::PrivateKey& key, const authn::dkim::SignOptions& options) {
  const auto blob = message.finish({});
  if (!blob) return std::unexpected(blob.error());
  const auto view = blob->view();
  if (!view) return std::unexpected(view.error());
  auto body = authn::dkim::sign(authn::index_for_authentication(view->octets()), key, options);
  if (body && body->starts_with(' ')) body->erase(0, 1);  // the list writes one
  return body;
}

base::Result<void> add_signature(Transaction& transaction, std::shared_ptr<const authn::PrivateKey> key, authn::dkim::SignOptions options) {
  auto& message = *transaction.message;
  auto body = signature_of(message, *key, options);
  if (!body) return std::unexpected(body.error());
  const bool was_changed = !transaction.signatures.empty() && transaction.signed_at != message.changes();
  if (const auto added = message.header().prepend(kField, *body); !added) return added;
  transaction.signatures.push_back({std::move(key), std::move(options), std::move(*body)});
  // Earlier ones may not hold any more: that stays noticed.
  if (!was_changed) transaction.signed_at = message.changes();
  return {};
}

base::Result<void> renew_signatures(Transaction& transaction) {
  if (transaction.signatures.empty() || !transaction.message || transaction.signed_at == transaction.message->changes()) return {};
  auto& message = *transaction.message;
  auto old = std::exchange(transaction.signatures, {});
  for (const auto& signature : old) remove_signature(message.header(), signature.body);
  for (auto& signature : old)
    if (const auto added = add_signature(transaction, std::move(signature.key), std::move(signature.options)); !added) return added;
  transaction.signed_at = message.changes();
  return {};
}

}  // namespace rules
