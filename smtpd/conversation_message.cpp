// The message of a transaction: taking it in, the call of the chain, and what the log says of it.
#include <algorithm>
#include <vector>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/mail/date.h"
#include "smtpd/conversation.h"
#include "smtpd/outcome_reply.h"

namespace smtpd {

namespace log = base::log;

void Conversation::begin() {
  message_ = std::make_unique<Message>(configuration_->message);
  message_->received = base::wall_now();
  message_->id = id();
  std::string trace;
  if (rounds_)
    for (const auto& field : rounds_->effects().fields) trace.append(field).append("\r\n");
  append_trace(trace, facts());
  store(trace);
  if (configuration_->completes[index(service_)] || configuration_->refuses_non_ascii_header) message_->header.emplace();
}

void Conversation::append(std::string_view octets) {
  if (!message_->header) return store(octets);
  message_->header->feed(octets, [this](std::string_view part) { store(part); }, [this] { return missing_fields(); });
}

void Conversation::finish_header() {
  if (message_->header) message_->header->finish([this](std::string_view part) { store(part); }, [this] { return missing_fields(); });
}

// RFC 6409 sections 8.2 and 8.3. Time and id are those of the Received field.
std::string Conversation::missing_fields() const {
  std::string fields;
  if (!configuration_->completes[index(service_)]) return fields;
  if (!message_->header->has_date()) {
    fields += "Date: ";
    mail::append_date_time(fields, message_->received);
    fields += "\r\n";
  }
  if (!message_->header->has_message_id()) fields.append("Message-ID: <").append(message_->id).append("@").append(options().server_name).append(">\r\n");
  return fields;
}

bool Conversation::has_undeclared_header() const {
  return configuration_->refuses_non_ascii_header && message_->header->has_8bit() && !session_.transaction()->smtputf8;
}

void Conversation::store(std::string_view octets) {
  if (message_->failure || octets.empty()) return;  // the rest is read to its end, then refused
  if (auto stored = message_->text.append(octets); !stored) {
    message_->failure = std::move(stored.error());
    message_->text.clear();
  }
}

void Conversation::discard(smtp::ReplyId reason) {
  std::string reply;
  if (reason != smtp::ReplyId::None) options().replies.append(reply, reason);
  log_message(reply.empty() ? "given up" : "refused", reply, "");
  message_.reset();
}

CallFacts Conversation::facts() const {
  return {options().server_name, tls_.get(), peer_, session_, message_->id, connected_, message_->received, may_relay(), rounds_.get()};
}

chain::Call Conversation::take_call() {
  if (session_.stage() == smtp::Stage::Etrn) return {};
  const CallFacts facts = this->facts();
  chain::Call call;
  call.environment = environment_of(facts);
  call.envelope = envelope_of(facts);
  const Standing standing = this->standing();
  call.context = context_of(facts, client_facts(standing));
  call.message = message_->text.finish();
  return call;
}

void Conversation::answer(const chain::Outcome& outcome, std::string& output) {
  if (session_.stage() == smtp::Stage::Etrn) return answer_etrn(outcome, output);
  count_time(Stopwatch::Chain, std::chrono::steady_clock::now() - asked_);
  auto [accepts, closes, reply, complaint] = reply_to(outcome, message_->id, session_.transaction()->smtputf8);
  const bool is_refused_for_good = reply.code >= 500;
  log_message(accepts ? "accepted" : is_refused_for_good ? "refused" : "deferred", reply.lines, complaint.empty() ? outcome.cause : complaint);
  is_known_ |= accepts;
  if (accepts && configuration_->shield) configuration_->shield->note(peer_.client(), Deed::Accepted, 1);
  message_.reset();
  session_.answer({.accepts = accepts, .closes = closes, .reply = reply.lines}, output);
}

void Conversation::count_message(std::string_view event) const {
  constexpr std::pair<std::string_view, Meter> kEvents[] = {
      {"accepted", Meter::MessagesAccepted}, {"deferred", Meter::MessagesDeferred}, {"refused", Meter::MessagesRefused}, {"discarded", Meter::MessagesDiscarded}, {"given up", Meter::MessagesGivenUp}};
  for (const auto& [name, meter] : kEvents)
    if (name == event) count(meter);
  if (event != "accepted") return;
  count(Meter::OctetsAccepted, session_.transaction()->octets);
  count(Meter::RecipientsAccepted, session_.transaction()->recipients.size());
}

// What a client may go on with.
void Conversation::log_step(smtp::Stage stage) const {
  if (!log::enabled(log::Level::Info)) return;
  if (stage == smtp::Stage::Mail) {
    std::vector<log::Field> fields = {{"id", id()}, {"client", peer_.client_ip}, {"helo", session_.helo()}};
    if (const auto* identity = session_.identity(); identity != nullptr) fields.emplace_back("user", base::text::printable(identity->user, 80));
    fields.emplace_back("from", session_.transaction()->reverse_path);
    log::write(log::Level::Info, "mail", fields);
  } else if (stage == smtp::Stage::Rcpt) {
    log::info("rcpt", {{"id", id()}, {"to", session_.transaction()->recipients.back().address}});
  }
}

// A warning when something went wrong on our side, else information.
void Conversation::log_message(std::string_view event, std::string_view reply, std::string_view cause) const {
  count_message(event);
  const auto level = cause.empty() ? log::Level::Info : log::Level::Warning;
  if (!log::enabled(level)) return;
  const auto& transaction = *session_.transaction();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(base::wall_now() - message_->received).count();
  std::vector<log::Field> fields;
  fields.reserve(10);
  fields.emplace_back("id", message_->id);
  if (!peer_.client_ip.empty()) fields.emplace_back("client", peer_.client_ip);
  fields.emplace_back("helo", session_.helo());
  fields.emplace_back("from", transaction.reverse_path);
  fields.emplace_back("to", transaction.recipients.front().address);
  if (transaction.recipients.size() > 1) fields.emplace_back("recipients", transaction.recipients.size());
  fields.emplace_back("size", transaction.octets);
  fields.emplace_back("milliseconds", milliseconds);
  if (!reply.empty()) fields.emplace_back("reply", reply.substr(0, reply.find('\r')));
  if (!cause.empty()) fields.emplace_back("cause", cause);
  log::write(level, event, fields);
}

}  // namespace smtpd
