#include "vsl-filter/changes.h"

#include <algorithm>
#include <map>

#include "lib/base/text.h"

namespace rules {
namespace {

using Lines = std::vector<std::string>;

// What of `all` is not in `others`, as often as it is there more often.
Lines missing(const Lines& all, const Lines& others) {
  std::map<std::string_view, std::ptrdiff_t> counts;
  for (const auto& line : others) ++counts[line];
  Lines result;
  for (const auto& line : all)
    if (--counts[line] < 0) result.push_back(line);
  return result;
}

}  // namespace

bool Changes::empty() const {
  return added.empty() && removed.empty() && !is_reordered && !has_body && !has_reverse_path && added_recipients.empty() && removed_recipients.empty();
}

Changes changes_of(const Transaction& transaction, std::string_view original) {
  Changes changes;
  if (transaction.message && transaction.message->header().is_changed()) {
    const auto old_lines = HeaderList(original).lines(), new_lines = transaction.message->header().lines();
    changes.added = missing(new_lines, old_lines);
    changes.removed = missing(old_lines, new_lines);
    changes.is_reordered = changes.added.empty() && changes.removed.empty() && old_lines != new_lines;
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
