#include "smtpd/call_text.h"

#include <algorithm>

#include "lib/base/json_text.h"
#include "lib/chain/context.h"
#include "lib/chain/envelope.h"
#include "lib/chain/transfer.h"
#include "lib/mail/received.h"
#include "lib/net/ucspi.h"

namespace smtpd {
namespace {

namespace json = base::json;

void append_flag(std::string& out, std::string_view name, bool flag) {
  json::append_name(out, name);
  out += flag ? "true" : "false";
}

void append_null(std::string& out, std::string_view name) {
  json::append_name(out, name);
  out += "null";
}

// vsl.md 4.4: by what the mechanism showed the server. A password is never written.
void append_credentials(std::string& out, const smtp::Identity* identity) {
  using Kind = sasl::Question::Kind;
  if (identity == nullptr) return append_null(out, "credentials");
  const auto kind = identity->mechanism->asks;
  json::append_name(out, "credentials");
  out += '{';
  if (kind == Kind::Trace) {
    json::append_name(out, "AnonymousToken");
    out += '{';
    json::append_member(out, "token", identity->user);
  } else {
    const bool has_shown_secret = kind == Kind::Password || kind == Kind::Token;
    json::append_name(out, has_shown_secret ? "Verify" : "Query");
    out += '{';
    json::append_member(out, "authid", identity->user);
    if (has_shown_secret) append_null(out, "authpass");
  }
  out += "}}";
}

void append_connection(std::string& out, const CallFacts& facts, const ClientFacts& client) {
  json::append_name(out, "connection");
  out += '{';
  json::append_member(out, "timestamp", base::to_rfc3339(facts.connected));
  json::append_member(out, "server_name", facts.server_name);
  json::append_member(out, "server_addr", facts.peer.server().text());
  json::append_member(out, "client_addr", facts.peer.client().text());
  append_credentials(out, facts.session.identity());
  append_flag(out, "is_authenticated", facts.session.identity() != nullptr);
  append_flag(out, "is_secured", facts.session.is_secured());
  json::append_member(out, "error_count", static_cast<long long>(facts.session.errors()));
  json::append_name(out, "shield");
  out += json_of(client);
  out += '}';
}

const PolicyEffects& effects_of(const CallFacts& facts) {
  static const PolicyEffects kNone;
  return facts.policy != nullptr ? facts.policy->effects() : kNone;
}

// The value of transfer_method.
std::string transfer_method(const PolicyEffects& effects) {
  const auto target = chain::ForwardTarget::parse(effects.filter);
  if (!target) return R"("Deliver")";
  std::string method = R"({"Forward":{)";
  json::append_member(method, chain::name_of(target->kind), target->text());
  return method += "}}";
}

void append_recipient(std::string& out, const std::string& address, const std::string& method, const std::string& received) {
  if (out.back() != '[') out += ',';
  out += '{';
  json::append_member(out, "address", address);
  out.append(R"(,"transfer_method":)").append(method).append(R"(,"email_status":{"waiting":{)");
  json::append_member(out, "timestamp", received);
  out += "}}";
}

void append_envelope(std::string& out, const CallFacts& facts, const std::string& received) {
  const auto& transaction = *facts.session.transaction();
  const auto& effects = effects_of(facts);
  const auto method = transfer_method(effects);
  json::append_name(out, "envelop");
  out += '{';
  json::append_member(out, "helo", facts.session.helo());
  json::append_member(out, "mail_from", transaction.reverse_path);
  json::append_name(out, "rcpt");
  out += '[';
  for (const auto& recipient : transaction.recipients) {
    append_recipient(out, recipient.address, method, received);
    chain::append_dsn_of_recipient(out, recipient.notify, recipient.original_recipient);
    out += '}';
  }
  // Whom a policy has added goes the way of the others.
  if (!effects.filter.empty()) {
    auto added = effects.copies;
    if (!effects.redirect.empty()) added.push_back(effects.redirect);
    for (const auto& address : added) {
      append_recipient(out, address, method, received);
      out += '}';
    }
  }
  out += ']';
  chain::append_dsn_of_message(out, transaction.dsn_return, transaction.envelope_id);
  out += '}';
}

void append_metadata(std::string& out, const CallFacts& facts, const std::string& received) {
  json::append_name(out, "metadata");
  out += '{';
  json::append_member(out, "timestamp", received);
  json::append_member(out, "message_id", facts.id);
  append_null(out, "skipped");
  out += '}';
}

void append_tls(std::string& out, const net::tls::Facts& tls) {
  json::append_name(out, "tls");
  out += '{';
  json::append_member(out, "protocol", tls.protocol);
  json::append_member(out, "cipher", tls.cipher);
  json::append_member(out, "sni", tls.server_name);
  json::append_member(out, "client_cert", tls.peer && tls.peer->is_verified ? std::string_view(tls.peer->subject) : std::string_view());
  if (tls.peer) json::append_member(out, "client_cert_fingerprint", tls.peer->fingerprint);
  out += '}';
}

void append_policy(std::string& out, const PolicyRounds& policy) {
  if (const auto& hold = policy.effects().hold; !hold.empty()) {
    json::append_member(out, "queue", "hold");
    json::append_member(out, "hold", hold);
  }
  if (const auto state = policy.state_of_message(); !state.empty()) json::append_member(out, "state", state);
}

}  // namespace

void append_trace(std::string& out, const CallFacts& facts) {
  const auto& transaction = *facts.session.transaction();
  const bool has_one_recipient = transaction.recipients.size() == 1;
  const std::string tls = facts.tls != nullptr ? facts.tls->protocol + " " + facts.tls->cipher : std::string();
  mail::append_received(out, {
                                 .helo = facts.session.helo(),
                                 .client_host = facts.peer.client_host,
                                 .client_ip = facts.peer.client_ip,
                                 .by = facts.server_name,
                                 .protocol = mail::protocol_name({.is_lmtp = facts.session.is_lmtp(),
                                                                  .is_extended = facts.session.is_extended(),
                                                                  .is_smtputf8 = transaction.smtputf8,
                                                                  .is_tls = facts.session.is_secured(),
                                                                  .is_authenticated = facts.session.identity() != nullptr}),
                                 .id = facts.id,
                                 .recipient = has_one_recipient ? std::string_view(transaction.recipients.front().address) : std::string_view(),
                                 .tls = tls,
                                 .time = facts.received,
                             });
}

// Whom the message is for: as the client said, unless a policy knows better.
std::string envelope_of(const CallFacts& facts) {
  const auto& transaction = *facts.session.transaction();
  const PolicyEffects& effects = effects_of(facts);
  mail::Envelope envelope;
  envelope.reverse_path = transaction.reverse_path;
  envelope.recipients.reserve(transaction.recipients.size() + effects.copies.size());
  if (effects.redirect.empty()) {
    for (const auto& recipient : transaction.recipients) envelope.recipients.push_back(recipient.address);
  } else {
    envelope.recipients.push_back(effects.redirect);
  }
  for (const auto& copy : effects.copies)
    if (std::ranges::find(envelope.recipients, copy) == envelope.recipients.end()) envelope.recipients.push_back(copy);
  return chain::to_octets(envelope);
}

chain::Words environment_of(const CallFacts& facts) {
  const Peer& peer = facts.peer;
  const auto& transaction = *facts.session.transaction();
  chain::Words words;
  if (!peer.client_ip.empty()) words = net::ucspi_environment(peer.client(), peer.server(), facts.server_name);
  words.reserve(words.size() + 10);
  if (!peer.client_host.empty()) words.push_back("TCPREMOTEHOST=" + peer.client_host);
  if (facts.may_relay) words.emplace_back("RELAYCLIENT=");
  if (const auto* identity = facts.session.identity(); identity != nullptr) {
    words.push_back("SMTPAUTHUSER=" + identity->user);
    words.push_back("SMTPAUTHMETHOD=" + std::string(identity->mechanism->name));
  }
  words.push_back("SMTPHELOHOST=" + facts.session.helo());
  words.push_back("SMTPMAILFROM=" + transaction.reverse_path);
  words.push_back("SMTPRCPTCOUNT=" + std::to_string(transaction.recipients.size()));
  words.push_back("SMTPTRANSACTION=" + std::string(facts.id));
  if (transaction.require_tls) words.emplace_back("SMTPREQUIRETLS=1");
  if (transaction.dsn_return != smtp::Return::None) words.push_back("SMTPRET=" + std::string(mail::return_text(transaction.dsn_return)));
  if (!transaction.envelope_id.empty()) words.push_back("SMTPENVID=" + transaction.envelope_id);
  if (facts.tls != nullptr) {
    words.push_back("SSL_PROTOCOL=" + facts.tls->protocol);
    words.push_back("SSL_CIPHER=" + facts.tls->cipher);
    if (!facts.tls->server_name.empty()) words.push_back("SSL_TLS_SNI=" + facts.tls->server_name);
  }
  return words;
}

std::string context_of(const CallFacts& facts, const ClientFacts& client) {
  const auto& transaction = *facts.session.transaction();
  const std::string received = base::to_rfc3339(facts.received);
  std::string out;
  out.reserve(768 + 160 * transaction.recipients.size());
  out += '{';
  append_connection(out, facts, client);
  append_envelope(out, facts, received);
  append_metadata(out, facts, received);
  if (facts.tls != nullptr) append_tls(out, *facts.tls);
  if (transaction.body != smtp::BodyType::None) json::append_member(out, "body", smtp::name_of(transaction.body));
  if (transaction.smtputf8) append_flag(out, "smtputf8", true);
  if (transaction.require_tls) append_flag(out, "require_tls", true);
  json::append_member(out, "size", static_cast<long long>(transaction.octets));
  if (facts.policy != nullptr) append_policy(out, *facts.policy);
  out += '}';
  return out;
}

}  // namespace smtpd
