// The connection and the session: who, from where, to whom (vsl.md 3.3).
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/values.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Value to_value(Run& run, const std::string& text) { return run.string(text); }
Value to_value(Run&, std::uint16_t number) { return std::int64_t{number}; }
Value to_value(Run&, bool flag) { return flag; }
Value to_value(Run& run, base::WallTime time) { return value_of(run.heap(), time); }

// A fact of the connection, known in every stage.
template <auto kMember>
Result fact(Run& run, Arguments) {
  auto session = session_at(run, "connection");
  if (!session) return pass_on(session);
  return to_value(run, (*session)->connection.*kMember);
}

Value map_of(Run& run, const Standing::Counts& counts) {
  Value value = run.heap().map();
  vsl::Map& map = value.map_for_write(run.heap());
  for (std::size_t i = 0; i < counts.size(); ++i) map.set(kCountNames[i], Value(counts[i]));
  return value;
}

Value to_value(Run& run, const Standing::Counts& counts) { return map_of(run, counts); }
Value to_value(Run&, std::int64_t number) { return number; }
Value to_value(Run& run, const std::vector<std::string>& texts) {
  Value list = run.heap().array(texts.size());
  vsl::Array& array = list.array_for_write(run.heap());
  for (const auto& text : texts) array.push(run.string(text));
  return list;
}

// What smtpd's shield says of the client.
template <auto kMember>
Result standing(Run& run, Arguments) {
  auto session = session_at(run, "connection");
  if (!session) return pass_on(session);
  return to_value(run, (*session)->connection.standing.*kMember);
}

std::string with_port(const std::string& ip, std::uint16_t port) {
  const bool is_v6 = ip.find(':') != std::string::npos;
  return (is_v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

template <auto kIp, auto kPort>
Result endpoint(Run& run, Arguments) {
  auto session = session_at(run, "address");
  if (!session) return pass_on(session);
  const Connection& connection = (*session)->connection;
  return run.string(with_port(connection.*kIp, connection.*kPort));
}

Result server_name(Run& run, Arguments) {
  auto session = session_at(run, "server_name");
  if (!session) return pass_on(session);
  const std::string& name = (*session)->connection.server_name;
  return run.string(name.empty() ? scene_of(run).site.domain : name);
}

Result auth(Run& run, Arguments) {
  auto session = session_at(run, Stage::Authenticate, "auth");
  if (!session) return pass_on(session);
  const auto& credentials = (*session)->connection.credentials;
  if (!credentials) return too_early("auth", Stage::Authenticate);
  return value_of(run.heap(), *credentials);
}

Result helo(Run& run, Arguments) {
  auto session = session_at(run, Stage::Helo, "helo");
  if (!session) return pass_on(session);
  return run.string((*session)->connection.helo);
}

Result mail_from(Run& run, Arguments) {
  auto transaction = transaction_at(run, Stage::Mail, "mail_from");
  if (!transaction) return pass_on(transaction);
  return value_of(run.heap(), trusted_address((*transaction)->reverse_path));
}

Result rcpt(Run& run, Arguments) {
  auto transaction = transaction_at(run, Stage::Rcpt, "rcpt");
  if (!transaction) return pass_on(transaction);
  const auto recipients = (*transaction)->recipients.all();
  if (recipients.empty()) return too_early("rcpt", Stage::Rcpt);
  return value_of(run.heap(), trusted_address(recipients.back().address));
}

// A copy; empty before there is a recipient.
Result rcpt_list(Run& run, Arguments) {
  auto session = session_at(run, "rcpt_list");
  if (!session) return pass_on(session);
  const Transaction* transaction = (*session)->transaction();
  Value list = run.heap().array(transaction == nullptr ? 0 : transaction->recipients.size());
  if (transaction == nullptr) return list;
  vsl::Array& array = list.array_for_write(run.heap());
  for (const Recipient& recipient : transaction->recipients.all()) array.push(value_of(run.heap(), trusted_address(recipient.address)));
  return list;
}

Result mail_timestamp(Run& run, Arguments) {
  auto transaction = transaction_at(run, Stage::Mail, "mail_timestamp");
  if (!transaction) return pass_on(transaction);
  return value_of(run.heap(), (*transaction)->time);
}

Result message_id(Run& run, Arguments) {
  auto transaction = transaction_at(run, Stage::Mail, "message_id");
  if (!transaction) return pass_on(transaction);
  return run.string((*transaction)->message_id);
}

template <const vsl::HostClass& kClass>
Result handle(Run& run, Arguments) {
  auto session = session_at(run, "ctx");
  if (!session) return pass_on(session);
  return run.heap().host(kClass, *session);
}

constexpr ApiRow kRows[] = {
    api<fact<&Connection::client_ip>>("client_ip", "ctx::client_ip", {}, kEvery, "address of the client: \"192.0.2.7\", \"2001:db8::1\""),
    api<fact<&Connection::client_port>>("client_port", "ctx::client_port", {}, kEvery, "port of the client"),
    api<endpoint<&Connection::client_ip, &Connection::client_port>>("client_address", "ctx::client_address", {}, kEvery, "\"IP:PORT\" of the client, IPv6 in brackets"),
    api<fact<&Connection::server_ip>>("server_ip", "ctx::server_ip", {}, kEvery, "our end of the connection"),
    api<fact<&Connection::server_port>>("server_port", "ctx::server_port", {}, kEvery, "port of our end of the connection"),
    api<endpoint<&Connection::server_ip, &Connection::server_port>>("server_address", "ctx::server_address", {}, kEvery, "\"IP:PORT\" of our end, IPv6 in brackets"),
    api<server_name>("server_name", "ctx::server_name", {}, kEvery, "the name that the client asked for by TLS (SNI), else that of the server"),
    api<fact<&Connection::time>>("connection_timestamp", "ctx::connection_timestamp", {}, kEvery, "when the client connected; as text the seconds since 1970"),
    api<fact<&Connection::is_secured>>("is_secured", "ctx::is_secured", {}, kEvery, "whether the connection is encrypted"),
    api<fact<&Connection::is_authenticated>>("is_authenticated", "ctx::is_authenticated auth::is_authenticated", {}, kEvery, "whether the client has authenticated"),
    api<standing<&Standing::client>>("client_counts", "ctx::client_counts", {}, kEvery, "what smtpd's shield has counted of the client lately: .connections, .messages, .recipients, .octets, .errors, .failed_log_ins, .accepted"),
    api<standing<&Standing::network>>("network_counts", "ctx::network_counts", {}, kEvery, "the same of its network, IPv4 /24 or IPv6 /64"),
    api<standing<&Standing::reputation>>("client_reputation", "ctx::client_reputation", {}, kEvery, "\"good\": mail or a log-in of it was accepted lately; \"bad\": many errors, talked too early, or listed; else \"unknown\""),
    api<standing<&Standing::dnsbl_score>>("dnsbl_score", "ctx::dnsbl_score", {}, kEvery, "sum of the weights of the DNS lists that know the client; from mail on, with shield.dnsbl_action = connect in every stage"),
    api<standing<&Standing::dnsbl_lists>>("dnsbl_lists", "ctx::dnsbl_lists", {}, kEvery, "the names of these lists"),
    api<standing<&Standing::is_early_talker>>("is_early_talker", "ctx::is_early_talker", {}, kEvery, "whether the client talked before it was greeted (shield.early_talker = mark)"),
    api<standing<&Standing::is_stressed>>("is_stressed", "ctx::is_stressed", {}, kEvery, "whether smtpd has so many connections that it is short with strangers"),
    api<auth>("auth", "auth::credentials", {}, from(Stage::Authenticate), "what the client authenticates with: .type, .authid, .authpass, .anonymous_token"),
    api<helo>("helo", "ctx::helo", {}, from(Stage::Helo), "the name in HELO or EHLO"),
    api<mail_from>("mail_from", "ctx::mail_from ctx::sender sender", {}, from(Stage::Mail), "the sender of the envelope; of a bounce .is_null() is true"),
    api<rcpt>("rcpt", "ctx::rcpt", {}, from(Stage::Rcpt), "the last recipient of the list: in rcpt the one that is asked about"),
    api<rcpt_list>("rcpt_list", "ctx::rcpt_list ctx::recipients recipients", {}, kEvery, "all recipients of the envelope, with .domains and .local_parts"),
    api<mail_timestamp>("mail_timestamp", "ctx::mail_timestamp", {}, from(Stage::Mail), "when MAIL came"),
    api<message_id>("message_id", "ctx::message_id", {}, from(Stage::Mail), "our id of the transaction; not the Message-ID field"),
    api<handle<kContextClass>>("ctx", "", {}, kEvery, "handle of the transaction: ctx().helo is helo()", kNoHandle),
    api<handle<kMessageClass>>("msg", "", {}, kEvery, "handle of the message: msg().get_header(\"Subject\")", kNoHandle),
    api<handle<kServerClass>>("srv", "", {}, kEvery, "handle of the server", kNoHandle),
};

}  // namespace

std::span<const ApiRow> context_rows() { return kRows; }

}  // namespace rules
