#include "lib/smtp/client_session.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "lib/base/utf8.h"
#include "lib/smtp/client_path.h"

namespace smtp {
namespace {

using Class = Verdict::Class;

// A reply that is neither yes nor a refusal for good leaves the message with us (RFC 5321 section 4.2.1).
Class refusal(const Reply& reply) { return reply.digit() == 5 ? Class::Permanent : Class::Temporary; }

// Too many recipients for one transaction is said with 452, and by old servers with 552: both mean "later" (RFC 5321
// section 4.5.3.1.10).
Class rcpt_refusal(const Reply& reply) { return reply.code == 552 ? Class::Temporary : refusal(reply); }

Verdict ours(Class result, ClientStage stage, int code, std::string_view status, std::string text) {
  return {result, stage, true, {code, std::string(status), std::move(text)}};
}

constexpr int kServiceClosing = 421;  // may answer any command (RFC 5321 section 3.8)

}  // namespace

const ClientSession::StageRow ClientSession::kStages[] = {
    // stage           name           time limit             command                        reply
    {ClientStage::Greeting, "greeting",    &TimeLimits::greeting, nullptr,                       &ClientSession::on_greeting},  // RFC 5321 §3.1
    {ClientStage::Hello,    "EHLO",        &TimeLimits::hello,    &ClientSession::put_hello,     &ClientSession::on_hello},     // §4.1.1.1
    {ClientStage::Helo,     "HELO",        &TimeLimits::hello,    &ClientSession::put_helo,      &ClientSession::on_helo},      // §4.1.1.1
    {ClientStage::StartTls, "STARTTLS",    &TimeLimits::tls,      &ClientSession::put_start_tls, &ClientSession::on_start_tls}, // RFC 3207
    {ClientStage::Auth,     "AUTH",        &TimeLimits::auth,     &ClientSession::put_auth,      &ClientSession::on_auth},      // RFC 4954
    {ClientStage::Forward,  "XFORWARD",    &TimeLimits::mail,     &ClientSession::put_forward,   &ClientSession::on_forward},
    {ClientStage::Mail,     "MAIL",        &TimeLimits::mail,     &ClientSession::put_mail,      &ClientSession::on_mail},      // §4.1.1.2
    {ClientStage::Rcpt,     "RCPT",        &TimeLimits::rcpt,     &ClientSession::put_rcpt,      &ClientSession::on_rcpt},      // §4.1.1.3
    {ClientStage::Data,     "DATA",        &TimeLimits::data,     &ClientSession::put_data,      &ClientSession::on_data},      // §4.1.1.4
    {ClientStage::Chunk,    "BDAT",        &TimeLimits::message,  &ClientSession::put_chunk,     &ClientSession::on_chunk},     // RFC 3030
    {ClientStage::Block,    "message",     &TimeLimits::block,    nullptr,                       nullptr},
    {ClientStage::Message,  "end of data", &TimeLimits::message,  nullptr,                       &ClientSession::on_message},   // §4.1.1.4
    {ClientStage::Reset,    "RSET",        &TimeLimits::mail,     &ClientSession::put_reset,     &ClientSession::on_reset},     // §4.1.1.5
    {ClientStage::Quit,     "QUIT",        &TimeLimits::quit,     &ClientSession::put_quit,      &ClientSession::on_quit},      // §4.1.1.10
};

const ClientSession::StageRow& ClientSession::row_of(ClientStage stage) {
  const auto& row = kStages[static_cast<std::size_t>(stage)];
  assert(row.stage == stage);
  return row;
}

std::string_view stage_name(ClientStage stage) { return ClientSession::row_of(stage).name; }

ClientSession::ClientSession(const Settings& settings)
    : settings_(&settings), reader_(settings.replies), script_{ClientStage::Greeting}, sent_(1) {}

// ---- octets in

void ClientSession::receive(std::string_view octets) {
  while (!octets.empty() && state_ != State::Closed) {
    // What came in clear before the handshake may have been put there by anybody (RFC 3207 section 5).
    if (state_ == State::Securing) return fail(ours(Class::Temporary, ClientStage::StartTls, 451, "4.7.5", "octets behind the reply to STARTTLS"));
    switch (reader_.feed(octets)) {
      case ReplyReader::Status::NeedMore: return;
      case ReplyReader::Status::Bad: return fail(ours(Class::Temporary, stage(), 451, "4.5.0", reader_.problem() + at_stage()));
      case ReplyReader::Status::Complete: ++progress_; on_reply(reader_.take());
    }
  }
}

void ClientSession::on_connection_end(std::string_view cause) {
  if (state_ == State::Closing) state_ = State::Closed;
  if (state_ != State::Closed) fail(ours(Class::Temporary, stage(), 451, "4.4.2", std::string(cause) + at_stage()));
}

void ClientSession::on_time_limit() {
  const auto seconds = std::to_string((time_limit_milliseconds() + 999) / 1000);
  on_connection_end((stage() == ClientStage::Block ? "host takes no octets within " : "no answer within ") + seconds + " s");
}

void ClientSession::on_reply(Reply reply) {
  if (!is_awaiting()) return on_unasked_reply(std::move(reply));
  const auto& row = row_of(awaited());
  if (reply.code == kServiceClosing && !is_end_of_message(row.stage) && row.stage != ClientStage::Quit)
    return fail({Class::Temporary, row.stage, false, std::move(reply)});
  ++answered_;
  (this->*row.on_reply)(std::move(reply));
  if (state_ != State::Opening && state_ != State::Busy) return;
  send_planned();
  if (state_ == State::Busy && sent_ == script_.size() && (!is_awaiting() || awaited() == ClientStage::Quit)) finish_transaction();
}

// Either the server cannot wait for the end of the message to refuse it, or it ends an idle session, or it is broken.
void ClientSession::on_unasked_reply(Reply reply) {
  if (reply.is_positive()) return fail(ours(Class::Temporary, stage(), 451, "4.5.0", "reply that nobody asked for" + at_stage() + ": " + reply.words()));
  const Verdict verdict{refusal(reply), stage(), false, std::move(reply)};
  if (stage() == ClientStage::Block && verdict.reply.code != kServiceClosing) decide_open(verdict);
  fail(verdict);
}

void ClientSession::on_greeting(Reply reply) {
  if (reply.digit() != 2) return fail({refusal(reply), ClientStage::Greeting, false, std::move(reply)});
  plan(ClientStage::Hello);
}

void ClientSession::on_hello(Reply reply) {
  if (reply.digit() == 2) {
    extensions_ = parse_extensions(reply);
    go_on_after_hello();
  } else if (reply.digit() == 5 && !settings_->is_lmtp) {
    plan(ClientStage::Helo);  // RFC 5321 section 3.2
  } else {
    fail({refusal(reply), ClientStage::Hello, false, std::move(reply)});
  }
}

void ClientSession::on_helo(Reply reply) {
  if (reply.digit() != 2) return fail({refusal(reply), ClientStage::Helo, false, std::move(reply)});
  go_on_after_hello();
}

void ClientSession::on_reset(Reply) {}  // a server that refuses RSET will refuse MAIL

void ClientSession::on_mail(Reply reply) {
  mail_accepted_ = reply.digit() == 2;
  if (mail_accepted_) return;
  decide_open({refusal(reply), ClientStage::Mail, false, std::move(reply)});
  drop_unsent();
}

void ClientSession::on_rcpt(Reply reply) {
  const auto recipient = asked_[rcpt_answered_++];
  if (!mail_accepted_) return;  // decided by the reply to MAIL
  if (reply.digit() == 2) {
    accepted_.push_back(recipient);
  } else {
    verdicts_[recipient] = {rcpt_refusal(reply), ClientStage::Rcpt, false, std::move(reply)};
  }
  if (rcpt_answered_ < asked_.size()) return;
  if (accepted_.empty() || (transaction_.all_or_nothing && accepted_.size() < asked_.size())) drop_unsent();
}

void ClientSession::on_data(Reply reply) {
  if (reply.digit() == 3) return start_message();
  if (!accepted_.empty()) decide_open({refusal(reply), ClientStage::Data, false, reply});
  // A server that says 250 to DATA is in a state that nobody knows.
  if (reply.digit() == 2) fail({Class::Temporary, ClientStage::Data, false, std::move(reply)});
}

void ClientSession::start_message() {
  const bool for_nobody = accepted_.empty();
  // RFC 2033 section 4.2 knows no 354 here, so nobody can say how many replies would follow.
  if (for_nobody && settings_->is_lmtp) return fail(ours(Class::Temporary, ClientStage::Data, 451, "4.5.0", "354 without a recipient"));
  // RFC 2920 section 3.1: the server took a pipelined DATA though it had refused every recipient; it gets an empty message.
  const bool quits = transaction_.is_last && is_pipelining();
  writer_ = for_nobody ? DotWriter({}, true) : DotWriter(transaction_.message, transaction_.needs.is_wire_ready, quits ? "QUIT\r\n" : "");
  plan(ClientStage::Message, settings_->is_lmtp ? accepted_.size() : 1);
  if (quits && !for_nobody) plan(ClientStage::Quit);
}

void ClientSession::on_message(Reply reply) {
  needs_reset_ = false;
  const bool is_closing = reply.code == kServiceClosing;
  const Verdict verdict{reply.digit() == 2 ? Class::Accepted : refusal(reply), ClientStage::Message, false, std::move(reply)};
  if (settings_->is_lmtp) {
    verdicts_[accepted_[messages_answered_++]] = verdict;
  } else {
    for (const auto recipient : accepted_) verdicts_[recipient] = verdict;
  }
  if (is_closing) fail(verdict);
}

void ClientSession::on_quit(Reply) { state_ = State::Closed; }

// ---- octets out

std::string_view ClientSession::next_output() {
  if (!commands_.empty()) {
    handed_out_.swap(commands_);
    commands_.clear();
    return handed_out_;
  }
  if (writer_.is_done()) return {};
  ++progress_;
  const auto block = writer_.next();
  if (writer_.is_done()) sent_ = script_.size();
  return block;
}

std::uint64_t ClientSession::time_limit_milliseconds() const {
  if (state_ == State::Ready || state_ == State::Closed) return 0;
  return settings_->limits.*row_of(stage()).limit;
}

ClientStage ClientSession::stage() const {
  if (state_ == State::Securing) return ClientStage::StartTls;
  if (!writer_.is_done()) return ClientStage::Block;
  return is_awaiting() ? awaited() : ClientStage::Quit;  // idle: the next thing a session could say
}

std::string ClientSession::at_stage() const { return " at " + std::string(stage_name(stage())); }

void ClientSession::plan(ClientStage stage, std::size_t times) { script_.resize(script_.size() + times, stage); }

void ClientSession::drop_unsent() { script_.resize(sent_); }

void ClientSession::send_planned() {
  if (!writer_.is_done()) return;
  for (; sent_ < script_.size(); ++sent_) {
    const auto stage = script_[sent_];
    if (is_awaiting() && must_wait(stage)) return;
    (this->*row_of(stage).put_command)();
    if (!writer_.is_done()) {  // a chunk: what is planned behind it goes out with its end
      ++sent_;
      return;
    }
  }
}

// A message that is sent without waiting may be sent for nobody: a small one is worth the round trip.
bool ClientSession::must_wait(ClientStage stage) const {
  if (!is_pipelining()) return true;
  if (stage == ClientStage::Chunk && transaction_.needs.size_octets > DotWriter::kBlockOctets) return true;
  return transaction_.all_or_nothing && (stage == ClientStage::Data || stage == ClientStage::Chunk);
}

void ClientSession::put_hello() { commands_ += (settings_->is_lmtp ? "LHLO " : "EHLO ") + settings_->helo + "\r\n"; }
void ClientSession::put_helo() { commands_ += "HELO " + settings_->helo + "\r\n"; }
void ClientSession::put_reset() { commands_ += "RSET\r\n"; }
void ClientSession::put_data() { commands_ += "DATA\r\n"; }
void ClientSession::put_quit() { commands_ += "QUIT\r\n"; }

void ClientSession::put_mail() {
  commands_ += "MAIL FROM:<" + transaction_.reverse_path + ">";
  if (extensions_.size) commands_ += " SIZE=" + std::to_string(transaction_.needs.size_octets);
  if (extensions_.eight_bit_mime && transaction_.needs.has_8bit) commands_ += " BODY=8BITMIME";
  if (needs_smtputf8_) commands_ += " SMTPUTF8";
  if (transaction_.requires_tls) commands_ += " REQUIRETLS";
  if (extensions_.dsn) put_dsn_of_message();
  commands_ += "\r\n";
  needs_reset_ = true;
}

void ClientSession::put_rcpt() {
  const auto recipient = asked_[rcpt_sent_++];
  commands_ += "RCPT TO:<" + transaction_.recipients[recipient] + ">";
  if (extensions_.dsn) put_dsn_of(transaction_.dsn.of(recipient), transaction_.recipients[recipient]);
  commands_ += "\r\n";
}

// RFC 3461 section 5.2.1: what was asked of us is asked on, as it came.
void ClientSession::put_dsn_of_message() {
  const auto& dsn = transaction_.dsn;
  if (dsn.returns != mail::Return::None) commands_.append(" RET=").append(mail::return_text(dsn.returns));
  if (!dsn.envelope_id.empty()) commands_ += " ENVID=" + dsn.envelope_id;
}

// Who wants to be told is told about the recipient that he has named, which is this one if nobody has said otherwise.
void ClientSession::put_dsn_of(const mail::DsnRequest::Recipient& asked, std::string_view recipient) {
  if (asked.is_empty()) return;
  if (asked.notify != 0) commands_ += " NOTIFY=" + mail::notify_text(asked.notify);
  const auto original = asked.original_recipient.empty() ? mail::original_recipient_of(recipient) : asked.original_recipient;
  const auto parameter = needs_smtputf8_ ? original : mail::original_recipient_in_ascii(original);
  if (parameter.size() <= mail::kMaxOriginalRecipientOctets) commands_ += " ORCPT=" + parameter;
}

// ---- transactions

void ClientSession::begin(ClientTransaction transaction) {
  assert(state_ == State::Ready);
  transaction_ = std::move(transaction);
  verdicts_.assign(transaction_.recipients.size(), {});
  asked_.clear();
  accepted_.clear();
  rcpt_sent_ = rcpt_answered_ = messages_answered_ = 0;
  mail_accepted_ = false;
  script_.clear();
  sent_ = answered_ = 0;
  state_ = State::Busy;

  refuse_what_server_cannot_take();
  if (asked_.empty()) return finish_transaction();
  if (needs_reset_) plan(ClientStage::Reset);
  if (extensions_.xforward && !transaction_.client.empty()) plan(ClientStage::Forward);
  plan(ClientStage::Mail);
  plan(ClientStage::Rcpt, asked_.size());
  plan(settings_->use_chunking && extensions_.chunking && !settings_->is_lmtp ? ClientStage::Chunk : ClientStage::Data);
  send_planned();
}

// Decides what need not be asked; asked_ are the recipients that are left.
void ClientSession::refuse_what_server_cannot_take() {
  const auto& needs = transaction_.needs;
  const auto refuse_all = [&](int code, std::string_view status, std::string text) {
    decide_open(ours(Class::Permanent, ClientStage::Mail, code, status, std::move(text)));
  };
  const auto reverse_path = path_for_command(transaction_.reverse_path);
  if (!reverse_path) return refuse_all(553, "5.1.7", "sender address that SMTP cannot carry");
  transaction_.reverse_path = *reverse_path;
  needs_smtputf8_ = needs.has_utf8_header || base::utf8::has_8bit(*reverse_path);
  if (extensions_.size && extensions_.size_max_octets != 0 && needs.size_octets > extensions_.size_max_octets)
    return refuse_all(552, "5.3.4", "message of " + std::to_string(needs.size_octets) + " octets, host takes " + std::to_string(extensions_.size_max_octets));
  if (needs.has_8bit && !extensions_.eight_bit_mime && !settings_->sends_undeclared_8bit)
    return refuse_all(554, "5.6.3", "message has 8-bit octets and host offers no 8BITMIME" + (transaction_.why_8bit.empty() ? "" : ", and " + transaction_.why_8bit));
  if (needs_smtputf8_ && !extensions_.smtputf8) {
    return needs.has_utf8_header ? refuse_all(554, "5.6.9", "header is in UTF-8 and host offers no SMTPUTF8")
                                 : refuse_all(553, "5.6.7", "sender address is in UTF-8 and host offers no SMTPUTF8");
  }

  for (std::size_t i = 0; i < transaction_.recipients.size(); ++i) {
    const auto path = path_for_command(transaction_.recipients[i]);
    if (!path || path->empty()) {
      verdicts_[i] = ours(Class::Permanent, ClientStage::Rcpt, 553, "5.1.3", "recipient address that SMTP cannot carry");
    } else if (base::utf8::has_8bit(*path) && !extensions_.smtputf8) {
      verdicts_[i] = ours(Class::Permanent, ClientStage::Rcpt, 553, "5.6.7", "recipient address is in UTF-8 and host offers no SMTPUTF8");
    } else {
      needs_smtputf8_ = needs_smtputf8_ || base::utf8::has_8bit(*path);
      transaction_.recipients[i] = *path;
      asked_.push_back(i);
    }
  }
  if (transaction_.all_or_nothing && asked_.size() < transaction_.recipients.size()) asked_.clear();
}

void ClientSession::decide_open(const Verdict& verdict) {
  for (auto& decided : verdicts_)
    if (decided.result == Class::Undecided) decided = verdict;
}

void ClientSession::finish_transaction() {
  decide_open(ours(Class::Temporary, ClientStage::Rcpt, 451, "4.3.0", "not sent, since another recipient was refused"));
  transaction_ = {};
  state_ = is_awaiting() ? State::Closing : State::Ready;
}

std::vector<Verdict> ClientSession::take_verdicts() { return std::exchange(verdicts_, {}); }

void ClientSession::quit() {
  assert(state_ == State::Ready);
  script_.clear();
  sent_ = answered_ = 0;
  plan(ClientStage::Quit);
  state_ = State::Closing;
  send_planned();
}

// ---- the end

void ClientSession::fail(Verdict verdict) {
  const bool was_sent = state_ == State::Busy && is_awaiting() && is_end_of_message(awaited()) && writer_.is_done();
  if (was_sent) {
    auto doubtful = verdict;
    doubtful.result = Class::Temporary;
    doubtful.reply.text += "; the message may have been delivered";
    for (const auto recipient : accepted_)
      if (verdicts_[recipient].result == Class::Undecided) verdicts_[recipient] = doubtful;
  }
  // A session ends with QUIT (RFC 5321 section 4.1.1.10), also one that was refused; but not into the middle of a message.
  if (!verdict.is_ours && verdict.reply.code != kServiceClosing && writer_.is_done()) {
    commands_ = "QUIT\r\n";
  } else {
    commands_.clear();
  }
  writer_ = {};
  failure_ = std::move(verdict);
  transaction_ = {};
  state_ = State::Closed;
}

}  // namespace smtp
