// The verbs of ServerSession: RFC 5321 section 4.1.1 and the extensions.
#include <algorithm>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/address.h"
#include "lib/smtp/server_session.h"

namespace smtp {

constexpr ServerSession::Verb ServerSession::kVerbs[] = {
    // verb      allowed in                     argument            offered    handler
    {"MAIL",     kReady,                        Argument::Required, 0,         &ServerSession::mail},      // RFC 5321 section 4.1.1.2
    {"RCPT",     kMail | kRcpt,                 Argument::Required, 0,         &ServerSession::rcpt},      // 4.1.1.3
    {"DATA",     kMail | kRcpt | kBdat,         Argument::None,     0,         &ServerSession::data},      // 4.1.1.4
    {"BDAT",     kAny | kInClear,               Argument::Optional, kChunking, &ServerSession::bdat},      // RFC 3030 section 2
    {"EHLO",     kAny | kInClear,               Argument::Required, 0,         &ServerSession::ehlo},      // 4.1.1.1
    {"LHLO",     kAny | kInClear,               Argument::Required, 0,         &ServerSession::ehlo},      // RFC 2033 section 4.1
    {"HELO",     kAny | kInClear,               Argument::Required, 0,         &ServerSession::helo},      // 4.1.1.1
    {"RSET",     kAny | kInClear,               Argument::None,     0,         &ServerSession::rset},      // 4.1.1.5
    {"QUIT",     kAny | kInClear,               Argument::None,     0,         &ServerSession::quit},      // 4.1.1.10
    {"NOOP",     kAny | kInClear,               Argument::Optional, 0,         &ServerSession::noop},      // 4.1.1.9
    {"STARTTLS", kReady | kInClear,             Argument::None,     kStartTls, &ServerSession::starttls},  // RFC 3207 section 4
    {"AUTH",     kReady,                        Argument::Required, kAuth,     &ServerSession::auth},      // RFC 4954 section 4
    {"XCLIENT",  kStart | kReady | kInClear,    Argument::Required, 0,         &ServerSession::xclient},   // server_xclient.cpp
    {"VRFY",     kAny,                          Argument::Required, 0,         &ServerSession::vrfy},      // 4.1.1.6
    {"EXPN",     kAny,                          Argument::Required, 0,         &ServerSession::expn},      // 4.1.1.7
    {"ETRN",     kReady,                        Argument::Required, kEtrn,     &ServerSession::etrn},      // RFC 1985 section 5
    {"HELP",     kAny | kInClear,               Argument::Optional, 0,         &ServerSession::help},      // 4.1.1.8
};

const ServerSession::Verb* ServerSession::find(std::string_view word) {
  for (const auto& verb : kVerbs)
    if (base::text::equal_ignoring_case(verb.name, word)) return &verb;
  return nullptr;
}

bool ServerSession::is_of_other_protocol(const Verb& verb) const {
  return options_->is_lmtp ? verb.name == "EHLO" || verb.name == "HELO" : verb.name == "LHLO";
}

void ServerSession::command(std::string_view line, std::string& output) {
  line = line.substr(0, line.find_last_not_of(" \t") + 1);  // RFC 5321 section 4.1.1: blanks at the end are tolerated
  const auto [word, argument] = base::text::split_once(line, ' ');
  const Verb* verb = find(word);
  if (verb == nullptr || is_of_other_protocol(*verb)) return reply({ReplyId::UnknownCommand}, output);
  if (!options_->has_ehlo && verb->name == "EHLO") return reply({ReplyId::Unimplemented}, output);
  if (verb->extension == kStartTls && is_secured_ && (options_->extensions & kStartTls) != 0) return reply({ReplyId::AlreadyUnderTls}, output);
  if (verb->extension != 0 && (extensions() & verb->extension) == 0) return reply({ReplyId::Unimplemented}, output);
  if (options_->requires_tls && !is_secured_ && (verb->allowed & kInClear) == 0) return reply({ReplyId::TlsRequired}, output);
  if (verb->argument == Argument::Required && argument.empty()) return reply({ReplyId::BadArgument}, output);
  if (verb->argument == Argument::None && !argument.empty()) return reply({ReplyId::BadArgument}, output);
  if ((verb->allowed & state_) == 0) return reply({ReplyId::BadSequence}, output);
  (this->*verb->handle)(argument, output);
}

void ServerSession::ehlo(std::string_view argument, std::string& output) { greet(argument, true, output); }
void ServerSession::helo(std::string_view argument, std::string& output) { greet(argument, false, output); }

// RFC 5321 section 4.1.4: a second EHLO is as RSET.
void ServerSession::greet(std::string_view name, bool is_extended, std::string& output) {
  if (!is_helo_name(name)) return reply({ReplyId::BadArgument}, output);
  if (state_ != kStart && count_idle_command(output)) return;
  reset();
  state_ = kStart;
  helo_ = name;
  is_extended_ = is_extended;
  ask(Stage::Helo, output);
}

void ServerSession::mail(std::string_view argument, std::string& output) {
  if (needs_identity()) return reply({ReplyId::AuthRequired}, output);
  const auto& limits = options_->limits;
  const auto parsed = parse_mail(argument, extensions(), options_->address_rules);
  if (!parsed) return reply(parsed.error(), output);
  if (!is_of_labels(parsed->reverse_path)) return reply({ReplyId::BadSender, "labels that no domain can have"}, output);
  if (limits.message_octets > 0 && parsed->size_octets > limits.message_octets) return reply({ReplyId::MessageTooLarge}, output);  // RFC 1870 section 6.1
  if (limits.transactions > 0 && transactions_ >= limits.transactions) return close(ReplyId::TooManyTransactions, output);
  ++transactions_;

  transaction_ = std::make_unique<Transaction>();
  transaction_->reverse_path = parsed->reverse_path.address;
  transaction_->declared_octets = parsed->size_octets;
  transaction_->body = parsed->body;
  transaction_->dsn_return = parsed->dsn_return;
  transaction_->smtputf8 = parsed->smtputf8;
  transaction_->require_tls = parsed->require_tls;
  transaction_->envelope_id = parsed->envelope_id;
  transaction_->auth = parsed->auth;
  ask(Stage::Mail, output);
}

void ServerSession::rcpt(std::string_view argument, std::string& output) {
  mail::AddressRules rules = options_->address_rules;
  rules.smtputf8 = transaction_->smtputf8;
  const auto parsed = parse_rcpt(argument, extensions(), rules);
  if (!parsed) {
    ++transaction_->refused_recipients;
    return reply(parsed.error(), output);
  }
  if (!is_of_labels(parsed->forward_path)) {
    ++transaction_->refused_recipients;
    return reply({ReplyId::BadRecipient, "labels that no domain can have"}, output);
  }
  if (transaction_->recipients.size() >= options_->limits.recipients) {
    // Not an error of the client's, who has the rest for another transaction (RFC 5321 section 4.5.3.1.10), unless it goes on and on.
    const bool goes_on = ++transaction_->refused_recipients > options_->limits.recipients;
    if (goes_on && count_error(output)) return;
    return reply({ReplyId::TooManyRecipients}, output);
  }
  transaction_->recipients.push_back({std::string(parsed->forward_path.address), std::string(parsed->original_recipient), parsed->notify});
  ask(Stage::Rcpt, output);
}

void ServerSession::data(std::string_view, std::string& output) {
  if (state_ == kBdat) return reply({ReplyId::MixedDataAndChunks}, output);  // RFC 3030 section 2
  if (state_ == kMail) return reply({transaction_->refused_recipients > 0 && !options_->is_lmtp ? ReplyId::NoRecipients : ReplyId::BadSequence}, output);
  if (transaction_->body == BodyType::BinaryMime) return reply({ReplyId::NeedsChunks}, output);  // RFC 3030 section 3
  ask(Stage::Data, output);
}

void ServerSession::bdat(std::string_view argument, std::string& output) {
  const auto parsed = parse_bdat(argument);
  if (!parsed) return close(parsed.error().reply, output);  // where the chunk ends nobody knows: what follows must not be taken for commands
  chunk_left_ = parsed->octets;
  is_last_chunk_ = parsed->is_last;
  if (state_ == kBdat) return begin_chunk();
  if (state_ != kRcpt) return drop_chunk(state_ == kMail && transaction_->refused_recipients > 0 ? ReplyId::NoRecipients : ReplyId::BadSequence);
  is_chunked_ = true;
  ask(Stage::Data, output);
}

void ServerSession::rset(std::string_view, std::string& output) {
  if (count_idle_command(output)) return;
  reset();
  reply({ReplyId::Ok}, output);
}

void ServerSession::noop(std::string_view, std::string& output) {
  if (!count_idle_command(output)) reply({ReplyId::Ok}, output);
}

// RFC 6531 section 3.3.
bool ServerSession::is_of_labels(const mail::Mailbox& path) const {
  return options_->is_international_domain == nullptr || !base::utf8::has_8bit(path.domain) || options_->is_international_domain(path.domain);
}

// VRFY SP String [SP "SMTPUTF8"]; RFC 5321 section 3.5, RFC 6531 section 3.7.4.2.
void ServerSession::vrfy(std::string_view argument, std::string& output) {
  constexpr std::string_view kParameter = " SMTPUTF8";
  using Verify = ServerOptions::Verify;
  if (options_->verify == Verify::Never) return reply({ReplyId::Unimplemented}, output);
  if (needs_identity()) return reply({ReplyId::AuthRequired}, output);
  const auto at = argument.size() - std::min(argument.size(), kParameter.size());
  const bool is_smtputf8 = (extensions() & kSmtpUtf8) != 0 && base::text::equal_ignoring_case(argument.substr(at), kParameter);
  if (is_smtputf8) argument = base::text::trim(argument.substr(0, at));
  if (base::utf8::has_8bit(argument) && !is_smtputf8) return reply({ReplyId::NonAsciiAddress}, output);
  if (argument.empty() || !base::utf8::is_valid(argument)) return reply({ReplyId::BadArgument}, output);
  if (count_idle_command(output)) return;
  if (options_->verify == Verify::Always) return reply({ReplyId::CannotVerify}, output);  // RFC 5321 section 3.5.3
  subject_ = std::make_unique<const std::string>(argument);
  ask(Stage::Verify, output);
}

// ETRN SP [option-character] node; RFC 1985 section 5.1. The options "@" and "#" are for those who agree on them: nobody here does.
void ServerSession::etrn(std::string_view argument, std::string& output) {
  if (needs_identity()) return reply({ReplyId::AuthRequired}, output);
  if (!mail::check_domain(argument)) return reply({ReplyId::BadArgument}, output);
  if (count_idle_command(output)) return;
  subject_ = std::make_unique<const std::string>(argument);
  ask(Stage::Etrn, output);
}

void ServerSession::expn(std::string_view, std::string& output) { reply({needs_identity() ? ReplyId::AuthRequired : ReplyId::Unimplemented}, output); }

void ServerSession::help(std::string_view, std::string& output) {
  if (!count_idle_command(output)) reply({ReplyId::Help}, output);
}

void ServerSession::quit(std::string_view, std::string& output) {
  has_quit_ = true;
  close(ReplyId::Closing, output);
}

void ServerSession::starttls(std::string_view, std::string& output) {
  starts_tls_ = true;
  reply({ReplyId::TlsGoAhead}, output);
}

// A client that keeps a session busy without mail. Returns true when the session has ended for it.
bool ServerSession::count_idle_command(std::string& output) {
  return ++idle_commands_ > options_->limits.idle_commands && count_error(output);
}

}  // namespace smtp
