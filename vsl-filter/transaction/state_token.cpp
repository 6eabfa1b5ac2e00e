#include "vsl-filter/transaction/state_token.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "vsl-filter/transaction/state_octets.h"

namespace rules {
namespace {

using state::Reader;
using state::Writer;

// What a record is about. A reader that does not know one cannot know what it means either, and refuses the token.
enum Tag : std::uint64_t {
  kConnectionSkip = 1,
  kConnectionVariable = 2,
  kConnectionHeaders = 3,
  kConnectionRecipient = 4,
  kBeforeHelo = 5,  // it was not what it is now: a greeting may undo the one before
  kVariableBeforeHelo = 6,
  kHeadersBeforeHelo = 7,
  kRecipientBeforeHelo = 8,
  kTransaction = 16,
  kReversePath = 17,
  kSkip = 18,
  kVariable = 19,
  kHeaders = 20,
  kSameHeaders = 21,  // as those of the connection
  kQuarantine = 22,
  kHold = 23,
  kResult = 24,
  kChangedRecipient = 25,
  kAddedRecipient = 26,
  kRemovedRecipient = 27,
  kQuarantineNote = 28,
};

// ---- out -----------------------------------------------------------------------------------------------------------------

void write_skip(Writer& out, Tag tag, const Skip& skip) {
  if (skip.kind == Skip::Kind::None) return;
  out.number(tag);
  out.number(static_cast<std::uint64_t>(skip.kind));
  for (const auto& text : {skip.code, skip.reply, skip.name}) out.text(text);
}

void write_variables(Writer& out, Tag tag, const Variables& variables) {
  for (const auto& [name, json] : variables) {
    out.number(tag);
    out.text(name);
    out.text(json);
  }
}

void write_text(Writer& out, Tag tag, std::string_view text) {
  if (text.empty()) return;
  out.number(tag);
  out.text(text);
}

std::string text_of(const HeaderList& headers) {
  std::string text;
  headers.append_to(text);
  return text;
}

void write_transfer(Writer& out, const Recipient& recipient) {
  out.text(recipient.address);
  out.number(static_cast<std::uint64_t>(recipient.transfer.method));
  if (recipient.transfer.method == chain::TransferMethod::Forward) out.text(recipient.transfer.target.text());
  if (chain::has_words(recipient.transfer.method)) out.text(recipient.transfer.words);
}

// Only what RCPT has not said: a thousand plain recipients need no room.
void write_recipients(Writer& out, const Recipients& recipients) {
  const auto all = recipients.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Recipient& recipient = all[i];
    if (!recipient.given) {
      out.number(kAddedRecipient);
      out.number(i);
    } else if (*recipient.given != recipient.address || recipient.transfer != chain::Transfer()) {
      out.number(kChangedRecipient);
      out.text(*recipient.given);
    } else {
      continue;
    }
    write_transfer(out, recipient);
  }
  for (const auto& given : recipients.removed()) {
    out.number(kRemovedRecipient);
    out.text(given);
  }
}

std::uint64_t microseconds(base::WallTime time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count()));
}

void write_quarantine_note(Writer& out, const QuarantineNote& note) {
  if (note == QuarantineNote()) return;
  out.number(kQuarantineNote);
  for (const auto& text : {note.rule, note.stage, note.reason}) out.text(text);
  out.number(microseconds(note.time));
}

void write_transaction(Writer& out, const Transaction& transaction, const std::string& connection_headers) {
  out.number(kTransaction);
  out.text(transaction.message_id);
  out.number(microseconds(transaction.time));
  if (transaction.reverse_path != transaction.given_reverse_path) {
    out.number(kReversePath);
    out.text(transaction.given_reverse_path);
    out.text(transaction.reverse_path);
  }
  write_skip(out, kSkip, transaction.skip);
  write_variables(out, kVariable, transaction.variables);
  const std::string headers = text_of(transaction.headers);
  if (!headers.empty() && headers == connection_headers) {
    out.number(kSameHeaders);
  } else {
    write_text(out, kHeaders, headers);
  }
  write_text(out, kQuarantine, transaction.quarantine);
  write_quarantine_note(out, transaction.quarantine_note);
  write_text(out, kHold, transaction.hold);
  write_variables(out, kResult, transaction.results);
  write_recipients(out, transaction.recipients);
}

void write_connection(Writer& out, const Connection& connection, const RulesMade& made) {
  write_skip(out, kConnectionSkip, connection.skip);
  write_variables(out, kConnectionVariable, made.variables);
  write_text(out, kConnectionHeaders, made.headers);
  for (const auto& recipient : made.recipients) write_text(out, kConnectionRecipient, recipient);
  if (!connection.before_helo || *connection.before_helo == made) return;
  out.number(kBeforeHelo);
  write_variables(out, kVariableBeforeHelo, connection.before_helo->variables);
  write_text(out, kHeadersBeforeHelo, connection.before_helo->headers);
  for (const auto& recipient : connection.before_helo->recipients) write_text(out, kRecipientBeforeHelo, recipient);
}

// ---- in ------------------------------------------------------------------------------------------------------------------

struct Changed {
  std::string address;
  chain::Transfer transfer;
};

struct Carried {
  Skip connection_skip, skip;
  RulesMade connection;
  std::optional<RulesMade> before_helo;
  Variables variables, results;
  std::string headers;
  bool has_transaction = false;
  std::string message_id, quarantine, hold;
  QuarantineNote quarantine_note;
  base::WallTime time{};
  std::optional<std::pair<std::string, std::string>> reverse_path;  // given, and what became of it
  std::unordered_map<std::string, Changed> changed;                 // by what RCPT said
  std::vector<std::pair<std::size_t, Changed>> added;
  std::vector<std::string> removed;
};

Skip read_skip(Reader& in) {
  Skip skip;
  const auto kind = in.number();
  if (kind > static_cast<std::uint64_t>(Skip::Kind::DelegationResult)) in.fail();
  skip.kind = static_cast<Skip::Kind>(kind);
  skip.code = in.text();
  skip.reply = in.text();
  skip.name = in.text();
  return skip;
}

void read_variable(Reader& in, Variables& variables) {
  const auto name = in.text();
  variables.insert_or_assign(std::string(name), std::string(in.text()));
}

// RCPT may have said what is no address to a rule ("postmaster"); but never what would break an envelope.
bool is_wire_safe(std::string_view address) { return address.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos; }

Changed read_changed(Reader& in) {
  Changed changed;
  changed.address = in.text();
  if (changed.address.empty() || !is_wire_safe(changed.address)) in.fail();
  const auto method = in.number();
  if (method > static_cast<std::uint64_t>(chain::TransferMethod::Expanded)) in.fail();
  changed.transfer.method = static_cast<chain::TransferMethod>(method);
  if (in.is_good() && chain::has_words(changed.transfer.method)) changed.transfer.words = in.text();
  if (changed.transfer.method != chain::TransferMethod::Forward || !in.is_good()) return changed;
  auto target = chain::ForwardTarget::parse(in.text());
  if (!target) in.fail();
  changed.transfer.target = target.value_or(chain::ForwardTarget());
  return changed;
}

// Lines that are a header from the first to the last octet.
std::string read_headers(Reader& in) {
  std::string text(in.text());
  const HeaderList headers(text);
  if (headers.body_offset() != text.size() || headers.has_separator() || text_of(headers) != text) in.fail();
  return text;
}

RulesMade& before_helo(Reader& in, Carried& carried) {
  if (!carried.before_helo) in.fail();
  return carried.before_helo ? *carried.before_helo : carried.before_helo.emplace();
}

base::WallTime read_time(Reader& in) { return base::WallTime() + std::chrono::microseconds(std::min<std::uint64_t>(in.number(), 9'000'000'000'000'000)); }

void read_record(Reader& in, Carried& carried) {
  switch (in.number()) {
    case kConnectionSkip: carried.connection_skip = read_skip(in); return;
    case kConnectionVariable: return read_variable(in, carried.connection.variables);
    case kConnectionHeaders: carried.connection.headers = read_headers(in); return;
    case kConnectionRecipient: carried.connection.recipients.emplace_back(in.text()); return;
    case kBeforeHelo: carried.before_helo.emplace(); return;
    case kVariableBeforeHelo: return read_variable(in, before_helo(in, carried).variables);
    case kHeadersBeforeHelo: before_helo(in, carried).headers = read_headers(in); return;
    case kRecipientBeforeHelo: before_helo(in, carried).recipients.emplace_back(in.text()); return;
    case kTransaction:
      carried.has_transaction = true;
      carried.message_id = in.text();
      carried.time = read_time(in);
      return;
    case kReversePath: {
      const auto given = in.text();
      carried.reverse_path.emplace(given, in.text());
      return;
    }
    case kSkip: carried.skip = read_skip(in); return;
    case kVariable: return read_variable(in, carried.variables);
    case kHeaders: carried.headers = read_headers(in); return;
    case kSameHeaders: carried.headers = carried.connection.headers; return;
    case kQuarantine: carried.quarantine = in.text(); return;
    case kQuarantineNote:
      carried.quarantine_note.rule = in.text();
      carried.quarantine_note.stage = in.text();
      carried.quarantine_note.reason = in.text();
      carried.quarantine_note.time = read_time(in);
      return;
    case kHold: carried.hold = in.text(); return;
    case kResult: return read_variable(in, carried.results);
    case kChangedRecipient: {
      const std::string given(in.text());
      carried.changed.insert_or_assign(given, read_changed(in));
      return;
    }
    case kAddedRecipient: {
      const auto position = in.number();
      carried.added.emplace_back(position, read_changed(in));
      return;
    }
    case kRemovedRecipient: carried.removed.emplace_back(in.text()); return;
    default: in.fail();
  }
}

// The recipients of the envelope, with what rules did to them; one that smtpd refused afterwards is not there any more.
Recipients merged(const Recipients& envelope, const Carried& carried, base::WallTime now) {
  Recipients recipients;
  const std::unordered_set<std::string_view> removed(carried.removed.begin(), carried.removed.end());
  for (const auto& recipient : envelope.all()) {
    const std::string given = recipient.given.value_or(recipient.address);
    if (removed.contains(given)) continue;
    Recipient kept = recipient;
    kept.given = given;
    if (const auto changed = carried.changed.find(given); changed != carried.changed.end()) {
      if (changed->second.address != kept.address) kept.readdress(changed->second.address);
      kept.transfer = changed->second.transfer;
    }
    recipients.restore(std::move(kept));
  }
  for (const auto& [position, changed] : carried.added) {
    Recipient added;
    added.address = changed.address;
    added.transfer = changed.transfer;
    added.status.time = now;
    recipients.restore_at(position, std::move(added));
  }
  for (const auto& given : carried.removed) recipients.restore_removed(given);
  return recipients;
}

void take_up(Session& session, Carried carried) {
  auto& connection = session.connection;
  connection.skip = std::move(carried.connection_skip);
  connection.restore(carried.connection);
  connection.before_helo = std::move(carried.before_helo);
  if (!carried.has_transaction) {  // nobody was asked from MAIL on
    if (session.transaction() != nullptr) session.inherit();
    return;
  }
  if (session.transaction() == nullptr) session.mail(carried.reverse_path ? carried.reverse_path->first : std::string(), carried.message_id, carried.time);
  Transaction& transaction = *session.transaction();
  if (transaction.message_id.empty()) transaction.message_id = std::move(carried.message_id);
  if (transaction.time == base::WallTime()) transaction.time = carried.time;
  if (carried.reverse_path && carried.reverse_path->first == transaction.given_reverse_path) transaction.reverse_path = std::move(carried.reverse_path->second);
  transaction.skip = std::move(carried.skip);
  transaction.variables.merge(carried.variables);
  transaction.headers = HeaderList(carried.headers).copy();
  transaction.quarantine = std::move(carried.quarantine);
  transaction.quarantine_note = std::move(carried.quarantine_note);
  transaction.hold = std::move(carried.hold);
  transaction.results.merge(carried.results);
  transaction.recipients = merged(transaction.recipients, carried, transaction.time);
}

}  // namespace

base::Result<std::string> to_state(const Session& session, std::string_view key) {
  Writer out;
  const auto made = session.connection.made();
  write_connection(out, session.connection, made);
  if (const auto* transaction = session.transaction()) write_transaction(out, *transaction, made.headers);
  std::string token = state::seal(out.octets, key);
  if (token.size() > kMaxStateOctets)
    return base::fail(base::Fault::Permanent, "what rules have set in this session needs a state token of " + std::to_string(token.size()) + " octets; at most " + std::to_string(kMaxStateOctets) + " go");
  return token;
}

base::Result<void> from_state(Session& session, std::string_view token, std::string_view key) {
  if (token.empty()) return {};
  if (token.size() > kMaxStateOctets) return base::fail(base::Fault::Temporary, "state token: longer than " + std::to_string(kMaxStateOctets) + " octets");
  const auto octets = state::unseal(token, key);
  if (!octets) return std::unexpected(octets.error());
  Reader in(*octets);
  Carried carried;
  while (!in.at_end()) read_record(in, carried);
  if (!in.is_good()) return base::fail(base::Fault::Temporary, "state token: not as this version writes it");
  take_up(session, std::move(carried));
  return {};
}

}  // namespace rules
