#include "vsl-filter/serving/postfix_action.h"

#include <algorithm>

#include "lib/base/log.h"

namespace rules {
namespace {

bool is_news(std::vector<std::string>& told, const std::string& what) {
  if (std::ranges::find(told, what) != told.end()) return false;
  told.push_back(what);
  return true;
}

// The next field that rules have added and Postfix does not know of; "" when there is none.
std::string next_field(Session& session, ToldPostfix& told) {
  for (auto& field : session.headers().lines()) {
    std::erase_if(field, [](char c) { return c == '\r' || c == '\n'; });
    if (is_news(told.fields, field)) return std::move(field);
  }
  return {};
}

// The next recipient that rules have added.
std::string next_copy(const Transaction& transaction, ToldPostfix& told) {
  for (const auto& recipient : transaction.recipients.all())
    if (!recipient.given && is_news(told.copies, recipient.address)) return recipient.address;
  return {};
}

bool is_rewritten(const Recipient& recipient) { return recipient.given && *recipient.given != recipient.address; }

// Of all recipients together: Postfix's actions are about the message.
std::string fate_of_all(const Transaction& transaction) {
  const auto recipients = transaction.recipients.all();
  const bool are_fewer = !transaction.recipients.removed().empty();
  if (recipients.empty()) return are_fewer ? "DISCARD the rules left no recipient" : "";
  const auto& first = recipients.front();
  const bool are_alike = std::ranges::all_of(recipients, [&](const Recipient& recipient) { return recipient.transfer == first.transfer; });
  if (are_alike && first.transfer.method == chain::TransferMethod::None) return "DISCARD the rules disabled the delivery";
  const bool are_others = are_fewer || std::ranges::any_of(recipients, is_rewritten);
  if (are_others && recipients.size() == 1) return "REDIRECT " + first.address;
  if (are_others) {
    base::log::warning("Postfix has no action for several changed recipients", {{"id", transaction.message_id}});
    return {};
  }
  if (!are_alike || first.transfer.method != chain::TransferMethod::Forward) return {};
  const auto& target = first.transfer.target;
  return "FILTER smtp:[" + target.host + "]" + (target.port == 0 ? "" : ":" + std::to_string(target.port));
}

}  // namespace

std::string postfix_action(Session& session, ToldPostfix& told, PostfixState state) {
  const auto* transaction = session.transaction();
  const auto& skip = session.skip();
  if (skip.kind == Skip::Kind::Quarantine) return "HOLD quarantine " + skip.name;
  if (transaction != nullptr && !transaction->quarantine.empty()) return "HOLD quarantine " + transaction->quarantine;
  if (transaction != nullptr && !transaction->hold.empty()) return "HOLD " + transaction->hold;
  if (transaction != nullptr && state != PostfixState::Before)
    if (auto fate = fate_of_all(*transaction); !fate.empty()) return fate;
  if (state != PostfixState::EndOfMessage)
    if (auto field = next_field(session, told); !field.empty()) return "PREPEND " + field;
  if (transaction != nullptr)
    if (const auto copy = next_copy(*transaction, told); !copy.empty()) return "BCC " + copy;
  return skip.kind == Skip::Kind::Faccept ? "OK" : "DUNNO";
}

}  // namespace rules
