#include "vsl-filter/transaction/transaction.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/authn/authentication_results.h"
#include "lib/base/text.h"
#include "lib/queue/place.h"
#include "vsl-filter/transaction/addresses.h"

namespace rules {
namespace {

constexpr auto kSkips = std::to_array<std::string_view>({"", "Next", "Accept", "Faccept", "Deny", "Info", "Quarantine", "Delegated", "DelegationResult"});

}  // namespace

std::string_view name_of(Skip::Kind kind) { return kSkips[static_cast<std::size_t>(kind)]; }

std::optional<Skip::Kind> skip_kind_of(std::string_view name) {
  const auto row = std::ranges::find(kSkips, name);
  if (row == kSkips.end()) return std::nullopt;
  return static_cast<Skip::Kind>(row - kSkips.begin());
}

bool is_message_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || c == '-'; });
}

// ---- transaction -----------------------------------------------------------------------------------------------------------

base::Result<void> Transaction::rewrite_reverse_path(std::string_view address) {
  if (address == "<>") address = {};
  if (!address.empty())
    if (const auto checked = check_address(address); !checked) return checked;
  reverse_path = address;
  return {};
}

base::Result<void> Transaction::set_quarantine(std::string_view name) {
  if (!queue::Place::is_quarantine_name(name)) {
    return base::fail(base::Fault::Permanent, "'" + base::text::printable(name, 80) +
                                                  "' cannot be the name of a quarantine; expected: one to four names with / between them, each of at most 64 of A-Z a-z 0-9 . _ - and without a dot in front");
  }
  quarantine = name;
  return {};
}

// ---- connection ------------------------------------------------------------------------------------------------------------

RulesMade Connection::made() const {
  RulesMade made{variables, {}, recipients};
  headers.append_to(made.headers);
  return made;
}

void Connection::restore(const RulesMade& made) {
  variables = made.variables;
  headers = HeaderList(made.headers).copy();
  recipients = made.recipients;
}

// ---- session ---------------------------------------------------------------------------------------------------------------

void Session::helo(std::string name) {
  reset();
  connection.helo = std::move(name);
  if (connection.skip.finishes()) return;  // the rules will not run
  if (connection.before_helo) {
    connection.restore(*connection.before_helo);
  } else {
    connection.before_helo = connection.made();
  }
}

void Session::authenticated(const RulesMade& before) {
  if (!connection.before_helo) return;
  const auto now = connection.made();
  auto& kept = *connection.before_helo;
  for (const auto& [name, json] : now.variables)
    if (const auto old = before.variables.find(name); old == before.variables.end() || old->second != json) kept.variables.insert_or_assign(name, json);
  const HeaderList fields_before(before.headers);
  auto old_lines = fields_before.lines();
  for (const auto& line : connection.headers.lines()) {
    if (const auto old = std::ranges::find(old_lines, line); old != old_lines.end()) {
      old_lines.erase(old);
    } else {
      kept.headers.append(line).append("\r\n");
    }
  }
  for (const auto& recipient : now.recipients)
    if (std::ranges::find(before.recipients, recipient) == before.recipients.end()) kept.recipients.push_back(recipient);
}

void Session::starttls(TlsFacts tls) {
  reset();
  connection.helo.clear();
  connection.credentials.reset();
  connection.is_authenticated = false;
  connection.is_secured = true;
  connection.tls = std::move(tls);
}

Transaction& Session::mail(std::string reverse_path, std::string message_id, base::WallTime now) {
  Transaction& transaction = transaction_.emplace();
  transaction.reverse_path = transaction.given_reverse_path = std::move(reverse_path);
  transaction.message_id = std::move(message_id);
  transaction.time = now;
  inherit();
  return transaction;
}

void Session::inherit() {
  transaction_->headers = connection.headers.copy();
  if (connection.skip.kind == Skip::Kind::Quarantine) transaction_->quarantine = connection.skip.name;
  if (transaction_->recipients.size() > 0) add_early_recipients(0);
}

void Session::add_early_recipients(std::size_t position) {
  auto& recipients = transaction_->recipients;
  for (const auto& early : connection.recipients) {
    if (recipients.contains(early)) continue;
    Recipient added;
    added.address = early;
    added.status.time = transaction_->time;
    recipients.restore_at(position++, std::move(added));
  }
}

void Session::rcpt(std::string address, base::WallTime now) {
  if (!transaction_) return;
  auto& recipients = transaction_->recipients;
  const bool is_first = std::ranges::none_of(recipients.all(), [](const Recipient& recipient) { return recipient.given.has_value(); }) && recipients.removed().empty();
  recipients.add_given(std::move(address), now);
  if (is_first) add_early_recipients(recipients.size() - 1);  // the client's own stays the last one of the list: that is rcpt()
}

void Session::refuse_rcpt() {
  if (transaction_) transaction_->recipients.drop_last_given();
}

base::Result<void> Session::message(base::Blob octets) {
  if (!transaction_) return base::fail(base::Fault::Bug, "a message without a transaction");
  auto opened = Message::open(std::move(octets));
  if (!opened) return std::unexpected(opened.error());
  message(std::move(*opened));
  return {};
}

// What rules made before there was a message goes above its own fields.
void Session::message(Message message) {
  if (transaction_->headers.size() > 0) {
    // Where we have said what we found out, nobody else may have said so in our name (RFC 8601 section 5).
    for (const auto body : transaction_->headers.bodies("Authentication-Results"))
      message.header().remove_that_came("Authentication-Results", [id = authn::authserv_id_of(body)](std::string_view other) { return authn::authserv_id_of(other) == id; });
    message.header().put_above(transaction_->headers);
  }
  transaction_->message = std::move(message);
}

HeaderList& Session::headers() {
  if (!transaction_) return connection.headers;
  return transaction_->message ? transaction_->message->header() : transaction_->headers;
}

base::Result<void> Session::add_recipient(std::string_view address, base::WallTime now) {
  if (transaction_) return transaction_->recipients.add(address, now);
  if (const auto checked = check_address(address); !checked) return checked;
  connection.recipients.emplace_back(address);
  return {};
}

void Session::forget_recipient(std::string_view address) {
  std::erase_if(connection.recipients, [key = address_key(address)](const std::string& early) { return address_key(early) == key; });
}

const Skip& Session::skip() const {
  if (transaction_ && transaction_->skip.kind != Skip::Kind::None) return transaction_->skip;
  return connection.skip;
}

void Session::set_skip(Stage stage, Skip skip) {
  if (is_of_connection(stage) || !transaction_) {
    connection.skip = std::move(skip);
    return;
  }
  if (skip.kind == Skip::Kind::Quarantine) transaction_->quarantine = skip.name;
  transaction_->skip = std::move(skip);
}

const std::string* Session::variable(std::string_view name) const {
  const auto find = [name](const Variables& variables) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : &found->second;
  };
  const auto* own = transaction_ ? find(transaction_->variables) : nullptr;
  return own != nullptr ? own : find(connection.variables);
}

void Session::set_variable(Stage stage, std::string_view name, std::string json) {
  auto& variables = is_of_connection(stage) || !transaction_ ? connection.variables : transaction_->variables;
  variables.insert_or_assign(std::string(name), std::move(json));
}

void Session::release() {
  if (!transaction_) return;
  Transaction& transaction = *transaction_;
  if (!transaction.quarantine.empty() || transaction.skip.kind == Skip::Kind::Quarantine) transaction.recipients.restore_transfers();
  transaction.quarantine.clear();
  transaction.quarantine_note = {};
  transaction.hold.clear();
  transaction.wishes.put_off.reset();
  if (transaction.skip.kind != Skip::Kind::Faccept) transaction.skip = {};
}

std::string Session::place() const {
  const auto quarantine = [](const std::string& name) { return queue::Place::is_quarantine_name(name) ? "quarantine/" + name : std::string("hold"); };
  if (transaction_ && !transaction_->quarantine.empty()) return quarantine(transaction_->quarantine);
  switch (skip().kind) {
    case Skip::Kind::Quarantine: return quarantine(skip().name);
    case Skip::Kind::Deny: return "dead";
    case Skip::Kind::Delegated: return "delegated";
    default: break;
  }
  if (transaction_ && transaction_->delegation && transaction_->delegation->state == chain::Delegation::State::Waiting) return "delegated";
  if (transaction_ && !transaction_->hold.empty()) return "hold";
  if (transaction_ && transaction_->wishes.put_off) return "deferred";
  return skip().kind == Skip::Kind::Faccept ? "deliver" : "";
}

}  // namespace rules
