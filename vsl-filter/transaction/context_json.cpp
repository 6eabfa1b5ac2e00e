#include "vsl-filter/transaction/context_json.h"

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/mail/verp.h"
#include "vsl-filter/transaction/context_parts.h"

namespace rules {
namespace {

using namespace context;

// Of Transaction::results: these stand in "metadata", all others beside it.
constexpr auto kMetadataResults = std::to_array<std::string_view>({"spf", "dkim"});
constexpr auto kOtherResults = std::to_array<std::string_view>({"spf_helo", "iprev", "dmarc", "arc", "bimi", "flow"});

std::string dumped(const Json& json, int indent = -1) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

// Appends the members of an object and knows their names, so that none of them is written twice.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  ~ObjectWriter() { out_ += '}'; }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  // The value is appended by the caller.
  std::string& name(std::string_view name) {
    names_.push_back(name);
    base::json::append_name(out_, name);
    return out_;
  }
  void text(std::string_view member, std::string_view text) { base::json::append_string(name(member), text); }
  void number(std::string_view member, std::uint64_t number) { name(member) += std::to_string(number); }
  void flag(std::string_view member, bool flag) { name(member) += flag ? "true" : "false"; }
  // Members that are not there yet, of what came, but those that are over; nullptr: nothing did.
  void unknown(const Json* original, std::span<const std::string_view> over = {}) {
    if (original == nullptr || !original->is_object()) return;
    for (const auto& [member, value] : original->items())
      if (std::ranges::find(names_, member) == names_.end() && std::ranges::find(over, member) == over.end()) name(member) += dumped(value);
  }

 private:
  std::string& out_;
  std::vector<std::string_view> names_;
};

void append_connection(std::string& out, const Connection& connection, const Json* original) {
  ObjectWriter object(out);
  append_time(object.name("timestamp"), connection.time);
  append_credentials(object.name("credentials"), connection.credentials);
  object.text("server_name", connection.server_name);
  object.text("server_address", address(connection.server_ip, connection.server_port));
  object.text("server_addr", address(connection.server_ip, connection.server_port));
  object.text("client_addr", address(connection.client_ip, connection.client_port));
  object.flag("is_authenticated", connection.is_authenticated);
  object.flag("is_secured", connection.is_secured);
  object.number("error_count", connection.error_count);
  object.number("authentication_attempt", connection.authentication_attempts);
  object.unknown(original);
}

void append_envelop(std::string& out, const Session& session, ContextForm::For reader, const Json* original) {
  const Transaction* transaction = session.transaction();
  ObjectWriter object(out);
  object.text("helo", session.connection.helo);
  object.text("mail_from", transaction != nullptr ? std::string_view(transaction->reverse_path) : std::string_view());
  object.name("rcpt") += '[';
  if (transaction != nullptr)
    for (bool is_first = true; const auto& each : transaction->recipients.all()) {
      if (!std::exchange(is_first, false)) out += ',';
      append_recipient(out, each, reader);
    }
  out += ']';
  object.unknown(original);
}

void append_metadata(std::string& out, const Session& session, const Json* original) {
  const Transaction* transaction = session.transaction();
  if (transaction == nullptr) {
    out += "null";
    return;
  }
  ObjectWriter object(out);
  append_time(object.name("timestamp"), transaction->time);
  object.text("message_id", transaction->message_id);
  append_skip(object.name("skipped"), session.skip());
  for (const auto& [name, result] : transaction->results)
    if (std::ranges::find(kMetadataResults, name) != kMetadataResults.end()) append_checked(object.name(name), result);
  object.unknown(original);
}

void append_tls(std::string& out, const TlsFacts& tls) {
  ObjectWriter object(out);
  object.text("protocol", tls.protocol);
  object.text("cipher", tls.cipher);
  object.text("sni", tls.sni);
  object.text("client_cert", tls.client_certificate);
}

// A variable of the transaction hides that of the connection.
void append_variables(std::string& out, const Variables& of_connection, const Variables* of_transaction) {
  ObjectWriter object(out);
  for (const auto& [name, value] : of_connection)
    if (of_transaction == nullptr || !of_transaction->contains(name)) append_checked(object.name(name), value);
  if (of_transaction != nullptr)
    for (const auto& [name, value] : *of_transaction) append_checked(object.name(name), value);
}

// Only its name when nothing else is known.
void append_quarantine(std::string& out, std::string_view name, const Transaction* transaction) {
  if (transaction == nullptr || transaction->quarantine_note.stage.empty()) return base::json::append_string(out, name);
  const QuarantineNote& note = transaction->quarantine_note;
  ObjectWriter object(out);
  object.text("name", name);
  object.text("reason", note.reason);
  object.text("rule", note.rule);
  object.text("stage", note.stage);
  append_time(object.name("time"), note.time);
}

void append_place(ObjectWriter& object, const Session& session) {
  const std::string place = session.place();
  std::string_view quarantine = place;
  if (base::text::consume(quarantine, "quarantine/")) {
    append_quarantine(object.name("quarantine"), quarantine, session.transaction());
  } else if (!place.empty()) {
    object.text("queue", place);
  }
  if (const Transaction* transaction = session.transaction(); transaction != nullptr && !transaction->hold.empty()) object.text("hold", transaction->hold);
}

void append_wishes(ObjectWriter& object, const QueueWishes& wishes) {
  if (wishes.put_off) {
    ObjectWriter put_off(object.name("put_off"));
    put_off.text("reason", wishes.put_off->reason);
    append_time(put_off.name("until"), wishes.put_off->until);
  }
  if (wishes.retry_after_seconds) object.number("retry_after", *wishes.retry_after_seconds);
  if (wishes.expire_seconds) object.number("expire", *wishes.expire_seconds);
  if (wishes.priority != 0) object.name("priority") += std::to_string(wishes.priority);
  if (wishes.no_bounce) object.flag("bounce", false);
  if (!wishes.verp.empty()) object.text("verp", wishes.verp);
}

QueueWishes read_wishes(const Json& json) {
  QueueWishes wishes;
  const auto seconds = [&json](const char* name) -> std::optional<std::uint64_t> {
    const Json* value = member(json, name);
    if (value == nullptr || !value->is_number_unsigned()) return std::nullopt;
    return value->get<std::uint64_t>();
  };
  wishes.retry_after_seconds = seconds("retry_after");
  wishes.expire_seconds = seconds("expire");
  if (const Json* priority = member(json, "priority"); priority != nullptr && priority->is_number_integer())
    wishes.priority = static_cast<int>(std::clamp<std::int64_t>(priority->get<std::int64_t>(), -10, 10));
  if (const Json* bounce = member(json, "bounce"); bounce != nullptr && bounce->is_boolean()) wishes.no_bounce = !bounce->get<bool>();
  if (const Json* verp = member(json, "verp"); verp != nullptr && verp->is_string() && mail::are_verp_delimiters(verp->get_ref<const std::string&>()))
    wishes.verp = verp->get<std::string>();
  return wishes;
}

// Members of a context that end with its reader: what they said is said by others now, or is not true any more.
std::vector<std::string_view> over_of(const Session& session, const ContextForm& form, const Json& before) {
  std::vector<std::string_view> over{"state", "released"};
  if (session.transaction() != nullptr) over.push_back("delegation");
  if (!session.place().empty() || before.contains("stage")) over.insert(over.end(), {"queue", "quarantine", "hold", "put_off"});
  if (form.message) over.push_back("message");
  return over;
}

void append_context(std::string& out, const Session& session, const ContextForm& form, const Json& before) {
  const Transaction* transaction = session.transaction();
  ObjectWriter object(out);
  if (const Json* stage = member(before, "stage"); stage != nullptr && stage->is_string()) object.text("stage", stage->get_ref<const std::string&>());
  append_connection(object.name("connection"), session.connection, member(before, "connection"));
  object.text("client_addr", address(session.connection.client_ip, session.connection.client_port));
  append_envelop(object.name("envelop"), session, form.reader, member(before, "envelop"));
  append_metadata(object.name("metadata"), session, member(before, "metadata"));
  if (const auto& tls = session.connection.tls) append_tls(object.name("tls"), *tls);
  const Variables& variables = session.connection.variables;
  if (!variables.empty() || (transaction != nullptr && !transaction->variables.empty()))
    append_variables(object.name("variables"), variables, transaction != nullptr ? &transaction->variables : nullptr);
  if (transaction != nullptr)
    for (const auto& [name, result] : transaction->results)
      if (std::ranges::find(kOtherResults, name) != kOtherResults.end()) append_checked(object.name(name), result);
  append_place(object, session);
  if (transaction != nullptr) append_wishes(object, transaction->wishes);
  if (transaction != nullptr && transaction->delegation) chain::append_delegation(object.name("delegation"), *transaction->delegation);
  object.unknown(&before, over_of(session, form, before));
  if (form.message) object.text("message", *form.message);
}

// So deep that no reader or writer that calls itself for each level comes to the end of its stack.
constexpr std::size_t kMaxDepth = 200;

bool is_too_deep(std::string_view json) {
  std::size_t depth = 0;
  bool is_quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (is_quoted) {
      if (c == '\\') ++i;
      if (c == '"') is_quoted = false;
    } else if (c == '"') {
      is_quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
    }
  }
  return false;
}

Standing::Counts read_counts(const Json& json, std::string_view name) {
  Standing::Counts counts{};
  const Json* object = member(json, name);
  for (std::size_t i = 0; object != nullptr && i < counts.size(); ++i)
    counts[i] = static_cast<std::int64_t>(std::min<std::uint64_t>(count(*object, kCountNames[i]), std::numeric_limits<std::int64_t>::max()));
  return counts;
}

Standing read_standing(const Json& json) {
  Standing standing;
  standing.client = read_counts(json, "client");
  standing.network = read_counts(json, "network");
  if (auto reputation = text(json, "reputation"); !reputation.empty()) standing.reputation = std::move(reputation);
  if (const Json* score = member(json, "dnsbl_score"); score != nullptr && score->is_number_integer()) standing.dnsbl_score = score->get<std::int64_t>();
  if (const Json* lists = member(json, "dnsbl_lists"); lists != nullptr && lists->is_array())
    for (const auto& list : *lists)
      if (list.is_string()) standing.dnsbl_lists.push_back(list.get<std::string>());
  standing.is_early_talker = flag(json, "early_talker");
  standing.is_stressed = flag(json, "stress");
  return standing;
}

// smtpd's word about the client stays in the context as it is: append_connection() leaves it among what it does not know.
void read_connection(Connection& connection, const Json& json, const Json& whole) {
  connection.time = read_time(json, "timestamp");
  connection.server_name = text(json, "server_name");
  for (const auto* name : {"server_address", "server_addr"}) read_address(text(json, name), connection.server_ip, connection.server_port);
  read_address(text(whole, "client_addr"), connection.client_ip, connection.client_port);
  read_address(text(json, "client_addr"), connection.client_ip, connection.client_port);
  if (const Json* value = member(json, "credentials")) connection.credentials = read_credentials(*value);
  connection.is_authenticated = flag(json, "is_authenticated");
  connection.is_secured = flag(json, "is_secured");
  connection.error_count = count(json, "error_count");
  if (const Json* shield = member(json, "shield")) connection.standing = read_standing(*shield);
  connection.authentication_attempts = count(json, "authentication_attempt");
  if (const Json* tls = member(whole, "tls"); tls != nullptr && tls->is_object())
    connection.tls = TlsFacts{text(*tls, "protocol"), text(*tls, "cipher"), text(*tls, "sni"), text(*tls, "client_cert")};
}

void read_results(Transaction& transaction, const Json& json, std::span<const std::string_view> names) {
  for (const auto name : names)
    if (const Json* value = member(json, name); value != nullptr && !value->is_null()) transaction.results.emplace(name, dumped(*value));
}

// An object with the name and what is known, or the name alone.
void read_quarantine(Transaction& transaction, const Json& json) {
  if (json.is_string()) return (void)transaction.set_quarantine(json.get<std::string>());
  if (!json.is_object() || !transaction.set_quarantine(text(json, "name"))) return;
  transaction.quarantine_note = {text(json, "rule"), text(json, "stage"), read_time(json, "time"), text(json, "reason")};
}

void read_transaction(Session& session, const Json& json, const Json& metadata) {
  const Json* envelop = member(json, "envelop");
  Transaction& transaction = session.mail(envelop == nullptr ? std::string() : text(*envelop, "mail_from"), text(metadata, "message_id"), read_time(metadata, "timestamp"));
  if (envelop != nullptr)
    if (const Json* rcpt = member(*envelop, "rcpt"); rcpt != nullptr && rcpt->is_array())
      for (const auto& each : *rcpt)
        if (auto recipient = read_recipient(each)) transaction.recipients.restore(std::move(*recipient));
  if (const Json* skipped = member(metadata, "skipped")) transaction.skip = read_skip(*skipped);
  // Names of quarantines that are none come from no program of ours.
  for (const auto& name : {transaction.skip.name, text(json, "quarantine")})
    if (!name.empty()) (void)transaction.set_quarantine(name);
  for (const auto* place : {&json, member(json, "released")})
    if (const Json* quarantine = place != nullptr ? member(*place, "quarantine") : nullptr; quarantine != nullptr) read_quarantine(transaction, *quarantine);
  transaction.hold = text(json, "hold");
  if (transaction.hold.empty() && text(json, "queue") == "hold") transaction.hold = "held";
  transaction.wishes = read_wishes(json);
  if (const Json* variables = member(json, "variables"); variables != nullptr && variables->is_object())
    for (const auto& [name, value] : variables->items()) transaction.variables[name] = dumped(value);
  read_results(transaction, metadata, kMetadataResults);
  read_results(transaction, json, kOtherResults);
}

}  // namespace

struct GivenContext::Tree {
  Json json;
};

base::Result<GivenContext> GivenContext::parse(std::string_view octets) {
  GivenContext given;
  if (octets.empty()) return given;
  if (is_too_deep(octets)) return base::fail(base::Fault::Temporary, "context: nested deeper than " + std::to_string(kMaxDepth));
  auto tree = std::make_shared<Tree>(Tree{Json::parse(octets, nullptr, false)});
  if (!tree->json.is_object()) return base::fail(base::Fault::Temporary, "context: not a JSON object: " + base::text::printable(octets, 40));
  given.octets_ = octets;
  given.tree_ = std::move(tree);
  return given;
}

std::string GivenContext::text(std::string_view member) const { return tree_ == nullptr ? std::string() : context::text(tree_->json, member); }

std::string to_context(const Session& session, const ContextForm& form, const GivenContext& original) {
  static const Json kNone = Json::object();
  std::string json;
  append_context(json, session, form, original.tree() == nullptr ? kNone : original.tree()->json);
  return form.is_pretty ? dumped(Json::parse(json, nullptr, false), 2) : json;
}

void from_context(Session& session, const GivenContext& given) {
  if (given.tree() == nullptr) return;
  const Json& json = given.tree()->json;
  if (const Json* connection = member(json, "connection")) read_connection(session.connection, *connection, json);
  if (const Json* envelop = member(json, "envelop")) session.connection.helo = text(*envelop, "helo");
  const Json* metadata = member(json, "metadata");
  if (metadata != nullptr && metadata->is_object()) read_transaction(session, json, *metadata);
  if (session.transaction() != nullptr) session.transaction()->delegation = chain::delegation_in(given.octets());
}

base::Result<void> from_context(Session& session, std::string_view octets) {
  const auto given = GivenContext::parse(octets);
  if (!given) return std::unexpected(given.error());
  from_context(session, *given);
  return {};
}

void apply_envelope(Session& session, const mail::Envelope& envelope) {
  if (session.transaction() == nullptr) session.mail(envelope.reverse_path, {}, session.connection.time);
  Transaction& transaction = *session.transaction();
  transaction.reverse_path = transaction.given_reverse_path = envelope.reverse_path;
  std::unordered_map<std::string_view, const Recipient*> known;
  for (const auto& recipient : transaction.recipients.all()) known.emplace(recipient.address, &recipient);
  Recipients recipients;
  for (const auto& address : envelope.recipients) {
    const auto found = known.find(address);
    if (found == known.end()) {
      recipients.add_given(address, transaction.time);
    } else {
      recipients.restore(*found->second);
    }
  }
  transaction.recipients = std::move(recipients);
}

mail::Envelope envelope_of(const Transaction& transaction) {
  mail::Envelope envelope{transaction.reverse_path, {}};
  for (const auto& recipient : transaction.recipients.all()) envelope.recipients.push_back(recipient.address);
  return envelope;
}

}  // namespace rules
