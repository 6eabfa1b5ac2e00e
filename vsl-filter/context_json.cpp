#include "vsl-filter/context_json.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "lib/base/text.h"
#include "vsl-filter/context_parts.h"

namespace rules {
namespace {

using namespace context;

// Of Transaction::results: these stand in "metadata", all others beside it.
constexpr auto kMetadataResults = std::to_array<std::string_view>({"spf", "dkim"});
constexpr auto kOtherResults = std::to_array<std::string_view>({"dmarc", "arc", "bimi", "flow"});

Json connection_of(const Connection& connection) {
  Json json = {{"timestamp", time(connection.time)},
               {"credentials", credentials(connection.credentials)},
               {"server_name", connection.server_name},
               {"server_address", address(connection.server_ip, connection.server_port)},
               {"server_addr", address(connection.server_ip, connection.server_port)},
               {"client_addr", address(connection.client_ip, connection.client_port)},
               {"is_authenticated", connection.is_authenticated},
               {"is_secured", connection.is_secured},
               {"error_count", connection.error_count},
               {"authentication_attempt", connection.authentication_attempts}};
  return json;
}

Json envelop_of(const Session& session, ContextForm::For reader) {
  const Transaction* transaction = session.transaction();
  Json rcpt = Json::array();
  if (transaction != nullptr)
    for (const auto& each : transaction->recipients.all()) rcpt.push_back(recipient(each, reader));
  return {{"helo", session.connection.helo}, {"mail_from", transaction != nullptr ? transaction->reverse_path : std::string()}, {"rcpt", std::move(rcpt)}};
}

Json metadata_of(const Session& session) {
  const Transaction* transaction = session.transaction();
  if (transaction == nullptr) return nullptr;
  Json json = {{"timestamp", time(transaction->time)}, {"message_id", transaction->message_id}, {"skipped", skip(session.skip())}};
  for (const auto& [name, result] : transaction->results)
    if (std::ranges::find(kMetadataResults, name) != kMetadataResults.end()) json[name] = parsed(result);
  return json;
}

Json variables_of(const Session& session) {
  Json json = Json::object();
  for (const auto& [name, value] : session.connection.variables) json[name] = parsed(value);
  if (const Transaction* transaction = session.transaction(); transaction != nullptr)
    for (const auto& [name, value] : transaction->variables) json[name] = parsed(value);
  return json;
}

void add_place(Json& json, const Session& session) {
  const std::string place = session.place();
  std::string_view quarantine = place;
  if (base::text::consume(quarantine, "quarantine/")) {
    json["quarantine"] = quarantine;
  } else if (!place.empty()) {
    json["queue"] = place;
  }
  if (const Transaction* transaction = session.transaction(); transaction != nullptr && !transaction->hold.empty()) json["hold"] = transaction->hold;
}

void add_wishes(Json& json, const QueueWishes& wishes) {
  if (wishes.put_off) json["put_off"] = {{"reason", wishes.put_off->reason}, {"until", time(wishes.put_off->until)}};
  if (wishes.retry_after_seconds) json["retry_after"] = *wishes.retry_after_seconds;
  if (wishes.expire_seconds) json["expire"] = *wishes.expire_seconds;
  if (wishes.priority != 0) json["priority"] = wishes.priority;
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
  return wishes;
}

// Members that `json` lacks, from what was there before.
void add_unknown(Json& json, const Json& original) {
  if (!json.is_object() || !original.is_object()) return;
  for (const auto& [name, value] : original.items())
    if (!json.contains(name)) json[name] = value;
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
  connection.authentication_attempts = count(json, "authentication_attempt");
  if (const Json* tls = member(whole, "tls"); tls != nullptr && tls->is_object())
    connection.tls = TlsFacts{text(*tls, "protocol"), text(*tls, "cipher"), text(*tls, "sni"), text(*tls, "client_cert")};
}

void read_results(Transaction& transaction, const Json& json, std::span<const std::string_view> names) {
  for (const auto name : names)
    if (const Json* value = member(json, name); value != nullptr && !value->is_null()) transaction.results.emplace(name, value->dump(-1, ' ', false, Json::error_handler_t::replace));
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
  transaction.hold = text(json, "hold");
  if (transaction.hold.empty() && text(json, "queue") == "hold") transaction.hold = "held";
  transaction.wishes = read_wishes(json);
  if (const Json* variables = member(json, "variables"); variables != nullptr && variables->is_object())
    for (const auto& [name, value] : variables->items()) transaction.variables[name] = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  read_results(transaction, metadata, kMetadataResults);
  read_results(transaction, json, kOtherResults);
}

}  // namespace

std::string to_context(const Session& session, const ContextForm& form, std::string_view original) {
  Json before = original.empty() || is_too_deep(original) ? Json::object() : Json::parse(original, nullptr, false);
  if (!before.is_object()) before = Json::object();
  before.erase("state");  // what it carried is in this context now
  if (!session.place().empty())
    for (const auto* name : {"queue", "quarantine", "hold", "put_off"}) before.erase(name);

  Json json = Json::object();
  json["connection"] = connection_of(session.connection);
  json["client_addr"] = address(session.connection.client_ip, session.connection.client_port);
  json["envelop"] = envelop_of(session, form.reader);
  json["metadata"] = metadata_of(session);
  for (const auto* name : {"connection", "envelop", "metadata"})
    if (const Json* known = member(before, name)) add_unknown(json[name], *known);
  if (const auto& tls = session.connection.tls; tls) json["tls"] = {{"protocol", tls->protocol}, {"cipher", tls->cipher}, {"sni", tls->sni}, {"client_cert", tls->client_certificate}};
  if (Json variables = variables_of(session); !variables.empty()) json["variables"] = std::move(variables);
  if (const Transaction* transaction = session.transaction(); transaction != nullptr)
    for (const auto& [name, result] : transaction->results)
      if (std::ranges::find(kOtherResults, name) != kOtherResults.end()) json[name] = parsed(result);
  add_place(json, session);
  if (session.transaction() != nullptr) add_wishes(json, session.transaction()->wishes);
  add_unknown(json, before);
  if (form.message) json["message"] = *form.message;
  return json.dump(form.is_pretty ? 2 : -1, ' ', false, Json::error_handler_t::replace);
}

base::Result<void> from_context(Session& session, std::string_view octets) {
  if (octets.empty()) return {};
  if (is_too_deep(octets)) return base::fail(base::Fault::Temporary, "context: nested deeper than " + std::to_string(kMaxDepth));
  const Json json = Json::parse(octets, nullptr, false);
  if (!json.is_object()) return base::fail(base::Fault::Temporary, "context: not a JSON object: " + base::text::printable(octets, 40));
  if (const Json* connection = member(json, "connection")) read_connection(session.connection, *connection, json);
  if (const Json* envelop = member(json, "envelop")) session.connection.helo = text(*envelop, "helo");
  const Json* metadata = member(json, "metadata");
  if (metadata != nullptr && metadata->is_object()) read_transaction(session, json, *metadata);
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
