#include "vsl-filter/modes/changes.h"

#include <utility>

#include "lib/base/text.h"

namespace rules {
bool Changes::empty() const {
  return added.empty() && removed.empty() && !is_reordered && !has_body && !has_reverse_path && added_recipients.empty() && removed_recipients.empty();
}

Changes changes_of(const Transaction& transaction) {
  Changes changes;
  if (transaction.message) {
    auto header = transaction.message->header().difference();
    changes.added = std::move(header.added);
    changes.removed = std::move(header.removed);
    changes.is_reordered = header.is_reordered;
  }
  changes.has_body = transaction.message && transaction.message->is_body_changed();
  if (changes.has_body) changes.body_octets = transaction.message->body_size();
  changes.has_reverse_path = transaction.reverse_path != transaction.given_reverse_path;
  if (changes.has_reverse_path) changes.reverse_path = transaction.reverse_path;
  for (const auto& recipient : transaction.recipients.all())
    if (!recipient.given) changes.added_recipients.push_back(recipient.address);
  changes.removed_recipients.assign(transaction.recipients.removed().begin(), transaction.recipients.removed().end());
  return changes;
}

std::string text_of(const chain::Transfer& transfer) {
  auto text = base::text::to_lower(chain::name_of(transfer.method));
  if (transfer.method == chain::TransferMethod::Forward) text += " " + transfer.target.public_text();
  return text;
}

}  // namespace rules
