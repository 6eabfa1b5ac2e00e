#include "smtpd/policy_question.h"

#include "lib/base/text.h"
#include "smtpd/certificate_name.h"
#include "smtpd/policy_attributes.h"

namespace smtpd {
namespace {

using smtp::Stage;

std::string_view protocol_state(const smtp::ServerSession& session) {
  switch (session.stage()) {
    case Stage::Connect: return "CONNECT";
    case Stage::Helo: return session.is_extended() ? "EHLO" : "HELO";
    case Stage::Auth: return "AUTH";
    case Stage::Mail: return "MAIL";
    case Stage::Rcpt: return "RCPT";
    case Stage::Data: return "DATA";
    case Stage::Message: case Stage::Verify: case Stage::Etrn: break;
  }
  return "END-OF-MESSAGE";
}

std::string_view or_unknown(std::string_view name) { return name.empty() ? "unknown" : name; }
std::string port_text(std::uint16_t port) { return port == 0 ? std::string() : std::to_string(port); }

void append_transaction(const PolicyAttributes& put, const smtp::ServerSession& session) {
  const auto* transaction = session.transaction();
  const bool is_rcpt = session.stage() == Stage::Rcpt;
  if (transaction == nullptr) {
    put("sender", "");
    put("recipient", "");
    put("recipient_count", "0");
    return put("size", "0");
  }
  const auto& recipients = transaction->recipients;
  put("sender", transaction->reverse_path);
  // As Postfix has it: behind RCPT only where there is but one.
  put("recipient", is_rcpt || recipients.size() == 1 ? std::string_view(recipients.back().address) : std::string_view());
  put("recipient_count", std::to_string(is_rcpt ? 0 : recipients.size()));
  put("size", std::to_string(transaction->declared_octets.value_or(0)));
}

// Ours: RFC 3461, of the transaction and, at RCPT, of the recipient that is asked about.
void append_dsn(std::string& out, const smtp::ServerSession& session) {
  const auto* transaction = session.transaction();
  if (transaction == nullptr) return;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) chain::append_policy(out, name, value);
  };
  put("dsn_ret", mail::return_text(transaction->dsn_return));
  put("dsn_envid", transaction->envelope_id);
  if (session.stage() != Stage::Rcpt || transaction->recipients.empty()) return;
  put("dsn_notify", mail::notify_text(transaction->recipients.back().notify));
  put("dsn_orcpt", transaction->recipients.back().original_recipient);
}

// "AB:CD:...", as Postfix writes fingerprints.
std::string with_colons(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    out += base::text::upper(digits[i]);
  }
  return out;
}

// Names of a certificate are told only where somebody vouches for them, as Postfix has it.
void append_tls(const PolicyAttributes& put, const net::tls::Facts* tls) {
  const auto* peer = tls != nullptr ? tls->peer.get() : nullptr;
  const bool is_verified = peer != nullptr && peer->is_verified;
  put("ccert_subject", is_verified ? common_name(peer->subject) : std::string_view());
  put("ccert_issuer", is_verified ? common_name(peer->issuer) : std::string_view());
  put("ccert_fingerprint", peer != nullptr ? with_colons(peer->fingerprint) : std::string());
  put("encryption_protocol", tls != nullptr ? std::string_view(tls->protocol) : std::string_view());
  put("encryption_cipher", tls != nullptr ? std::string_view(tls->cipher) : std::string_view());
  put("encryption_keysize", tls != nullptr ? std::to_string(tls->key_bits) : "0");
}

// Ours: those that were taken, before the one that is asked about.
std::string recipients_before(const smtp::ServerSession& session) {
  std::string all;
  const auto* transaction = session.transaction();
  if (transaction == nullptr) return all;
  auto count = transaction->recipients.size();
  if (session.stage() == Stage::Rcpt) --count;
  for (std::size_t i = 0; i < count; ++i) all.append(i == 0 ? "" : " ").append(transaction->recipients[i].address);
  return all;
}

// Ours, at AUTH: what the mechanism has brought (vsmtp-chain(7)).
void append_credentials(const PolicyAttributes& put, const smtp::ServerSession& session) {
  using Kind = sasl::Question::Kind;
  const auto& asked = session.question();
  put("auth_user", asked.user);
  put("auth_authzid", asked.authorization);
  switch (asked.kind) {
    case Kind::Password: put("auth_kind", "password"); return put("auth_password", asked.secret);
    case Kind::Digest:
      put("auth_kind", "digest");
      put("auth_challenge", asked.challenge);
      return put("auth_digest", asked.secret);
    case Kind::Keys: return put("auth_kind", "keys");
    case Kind::Token: put("auth_kind", "token"); return put("auth_token", asked.secret);
    case Kind::Identity: return put("auth_kind", "identity");
    case Kind::Trace: return put("auth_kind", "anonymous");
    case Kind::Proven:
    case Kind::Disproven: break;  // nobody is asked
  }
}

void append_sasl(const PolicyAttributes& put, const smtp::ServerSession& session) {
  const auto* identity = session.identity();
  const auto* transaction = session.transaction();
  const bool is_now = session.stage() == Stage::Auth;
  put("sasl_method", is_now ? session.mechanism().name : identity != nullptr ? identity->mechanism->name : std::string_view());
  put("sasl_username", identity != nullptr ? std::string_view(identity->user) : std::string_view());
  // RFC 4954 section 5: what a client says that has not shown who it is does not count.
  put("sasl_sender", identity != nullptr && transaction != nullptr ? smtp::from_xtext(transaction->auth) : std::string());
  if (is_now) append_credentials(put, session);
}

}  // namespace

std::string question_of(const QuestionFacts& facts) {
  const Peer& peer = facts.peer;
  std::string out;
  out.reserve(1024);
  const PolicyAttributes put{out, !facts.state.empty()};
  put("request", "smtpd_access_policy");
  put("protocol_state", protocol_state(facts.session));
  put("protocol_name", facts.session.is_lmtp() ? "LMTP" : facts.session.is_extended() ? "ESMTP" : "SMTP");
  put("client_address", peer.client_ip);
  put("client_name", or_unknown(peer.client_host));
  put("client_port", port_text(peer.client_port));
  put("reverse_client_name", or_unknown(peer.client_host));
  put("server_address", peer.server_ip);
  put("server_port", port_text(peer.server_port));
  put("helo_name", facts.session.helo());
  append_transaction(put, facts.session);
  put("queue_id", "");
  put("instance", facts.instance);
  for (const auto* name : {"ccert_pubkey_fingerprint", "etrn_domain", "policy_context"}) put(name, "");
  append_sasl(put, facts.session);
  append_tls(put, facts.tls);
  put("server_name", facts.server_name);
  append_client(put, facts.client);
  put("recipients", recipients_before(facts.session));
  append_dsn(out, facts.session);
  put("state", facts.state);
  out += '\n';
  return out;
}

}  // namespace smtpd
