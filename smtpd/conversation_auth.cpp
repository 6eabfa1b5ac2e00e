// Who is there: the end of each AUTH is decided here. Policies of the stage auth are heard first, then the file of passwords and the
// programs; what nobody has said yes to is no.
#include <algorithm>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/sasl/crypto.h"
#include "smtpd/conversation.h"
#include "smtpd/outcome_reply.h"

namespace smtpd {
namespace {

using Kind = sasl::Question::Kind;
namespace log = base::log;

constexpr std::size_t kMostUserInLog = 80;

// A policy speaks of access; RFC 4954 section 6 has codes of its own for what its plain words mean here.
std::string in_words_of_auth(const std::string& reply) {
  if (reply.starts_with("554 5.7.1 ")) return "535 5.7.8 " + reply.substr(10);
  if (reply.starts_with("450 4.7.1 ")) return "454 4.7.0 " + reply.substr(10);
  return reply;
}

// For those whom nobody knows, for the life of this process.
const std::string& secret_of_nobody() {
  static const std::string secret = sasl::random_octets(32);
  return secret;
}

}  // namespace

std::string Conversation::standard_reply(smtp::ReplyId id) const {
  std::string reply;
  options().replies.append(reply, id);
  return reply;
}

Conversation::Decision Conversation::decide_log_in(std::string& output) {
  if (rounds_ && rounds_->is_under_way()) return hear_policies(output);
  return begin_log_in(output);
}

Conversation::Decision Conversation::begin_log_in(std::string& output) {
  const auto& asked = session_.question();
  if (configuration_->shield && configuration_->shield->forbids_log_in(peer_.client())) {
    configuration_->shield->note(peer_.client(), Deed::FailedLogIn, 1);  // who goes on trying stays out
    refuse_log_in("too many failures from this address", standard_reply(smtp::ReplyId::TooManyAuthFailures), true, output);
  } else if (asked.kind == Kind::Proven) {
    log_in({}, output);
  } else if (asked.kind == Kind::Disproven) {
    refuse_log_in("wrong credentials", {}, false, output);
  } else if (!asked.authorization.empty() && asked.authorization != asked.user) {
    refuse_log_in("wants to act as somebody else", {}, false, output);
  } else if (rounds_ && (configuration_->policy.stages() & bit(smtp::Stage::Auth)) != 0) {
    begin_round();
    return hear_policies(output);
  } else {
    return check_credentials(output);
  }
  return Decision::Made;
}

Conversation::Decision Conversation::hear_policies(std::string& output) {
  if (rounds_->policy() != nullptr) return Decision::NeedsPolicy;
  auto verdict = rounds_->finish();
  const auto kind = session_.question().kind;
  if (verdict.has_failed) {
    put_off_log_in("a policy failed", output);
  } else if (!verdict.accepts) {
    const auto expected = verdict.reply.starts_with('4') ? smtp::ReplyClass::Transient : smtp::ReplyClass::Permanent;
    const auto reply = smtp::reply_of_text(expected, in_words_of_auth(verdict.reply)).lines;
    if (expected == smtp::ReplyClass::Permanent || verdict.closes) {
      refuse_log_in("a policy says no", reply, verdict.closes, output);
    } else {
      put_off_log_in("a policy says later", output);
    }
  } else if (!verdict.has_decided) {
    return check_credentials(output);
  } else if (kind != Kind::Keys) {
    log_in(verdict.reply, output);
  } else if (auto keys = sasl::ScramKeys::parse(verdict.keys)) {
    take_keys(std::move(keys), output);
  } else {
    put_off_log_in("a policy says yes and gives no keys", output);
  }
  return Decision::Made;
}

// Nobody has decided yet.
Conversation::Decision Conversation::check_credentials(std::string& output) {
  const auto kind = session_.question().kind;
  if (configuration_->authentication->can_check(kind)) return Decision::NeedsCheck;
  if (kind == Kind::Keys) {
    take_keys(std::nullopt, output);
  } else if (kind == Kind::Identity || kind == Kind::Trace) {
    log_in({}, output);  // to offer the mechanism was to say so
  } else {
    refuse_log_in("wrong credentials", {}, false, output);
  }
  return Decision::Made;
}

void Conversation::answer_check(CheckAnswer answer, std::string& output) {
  if (answer.kind == CheckAnswer::Kind::Failed) return put_off_log_in(answer.cause, output);
  if (session_.question().kind == Kind::Keys) return take_keys(std::move(answer.keys), output);
  if (answer.kind == CheckAnswer::Kind::Right) return log_in({}, output);
  refuse_log_in("wrong credentials", {}, false, output);
}

void Conversation::take_keys(std::optional<sasl::ScramKeys> keys, std::string& output) {
  const auto& user = session_.question().user;
  session_.answer_keys(keys ? std::move(*keys) : sasl::ScramKeys::of_nobody(user, secret_of_nobody()), output);
}

void Conversation::log_in(std::string_view reply, std::string& output) {
  const auto& asked = session_.question();
  count_log_in(session_.mechanism().name, true);
  log::info("authenticated", {{"id", id()}, {"client", peer_.client_ip},
                              {"helo", session_.helo()},
                              {"user", base::text::printable(asked.user, kMostUserInLog)},
                              {"method", session_.mechanism().name},
                              {"tls", session_.is_secured() ? "yes" : "no"}});
  // A yes of a rule may have words of its own, but 235 is the code that clients wait for.
  std::string words;
  if (reply.starts_with("235")) {
    words = smtp::reply_of_text(smtp::ReplyClass::Positive, reply.substr(std::min<std::size_t>(4, reply.size()))).lines;
    for (std::size_t at = 0; at < words.size(); at = words.find('\n', at) + 1) words.replace(at, 3, "235");
  }
  if (configuration_->shield && asked.kind != Kind::Trace) configuration_->shield->note(peer_.client(), Deed::Accepted, 1);
  session_.answer({.accepts = true, .closes = false, .reply = words}, output);
}

// It costs time, more with each: who guesses shall not guess often.
void Conversation::refuse_log_in(std::string_view why, std::string reply, bool closes, std::string& output) {
  const auto& configuration = *configuration_->authentication;
  const bool is_counted = !reply.starts_with("421");
  if (is_counted) {
    count_log_in(session_.mechanism().name, false);
    ++failed_log_ins_;
    if (configuration_->shield) configuration_->shield->note(peer_.client(), Deed::FailedLogIn, 1);
  }
  log::info("authentication failed", {{"id", id()}, {"client", peer_.client_ip},
                                      {"helo", session_.helo()},
                                      {"user", base::text::printable(session_.question().user, kMostUserInLog)},
                                      {"method", session_.mechanism().name},
                                      {"failures", failed_log_ins_},
                                      {"cause", why}});
  if (reply.empty()) reply = standard_reply(smtp::ReplyId::AuthFailed);
  if (configuration.failure_max > 0 && failed_log_ins_ >= configuration.failure_max) {
    reply = standard_reply(smtp::ReplyId::TooManyAuthFailures);
    closes = true;
  }
  delays_log_in_ = is_counted;
  session_.answer({.accepts = false, .closes = closes, .reply = reply, .delays = is_counted && configuration.failure_delay > 0}, output);
}

// Our fault: it counts for nothing.
void Conversation::put_off_log_in(std::string_view why, std::string& output) {
  count(Meter::LogInsPutOff);
  log::warning("authentication put off", {{"id", id()}, {"client", peer_.client_ip}, {"helo", session_.helo()}, {"method", session_.mechanism().name}, {"cause", why}});
  session_.answer({.accepts = false, .closes = false, .reply = standard_reply(smtp::ReplyId::AuthTemporaryFailure)}, output);
}

std::uint64_t Conversation::delay() const {
  if (delays_log_in_) return configuration_->authentication->delay_of(failed_log_ins_);
  const auto soft = options().limits.soft_errors;
  const auto beyond = std::max({session_.errors() > soft ? session_.errors() - soft : 1, suspicion_ > 1 ? suspicion_ - 1 : 1});
  const auto delay = configuration_->time.error_delay;
  return configuration_->shield ? configuration_->shield->delay_of(beyond, delay) : delay;
}

// Somebody who calls himself anything is nobody.
bool Conversation::may_relay() const {
  const auto* identity = session_.identity();
  return peer_.is_relay_client || (identity != nullptr && identity->mechanism->asks != Kind::Trace);
}

}  // namespace smtpd
