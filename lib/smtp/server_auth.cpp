// AUTH (RFC 4954): lines of base64 around a SASL exchange.
#include <algorithm>
#include <vector>

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/smtp/server_session.h"

namespace smtp {
namespace {

constexpr std::string_view kVerb = "AUTH ";

void append_challenge(std::string& output, std::string_view challenge) { output.append("334 ").append(base::to_base64(challenge)).append("\r\n"); }

}  // namespace

bool ServerSession::is_usable(const sasl::Mechanism& mechanism) const {
  if (mechanism.binds_channel) return channel_ != nullptr && !channel_->bindings.empty();
  if (mechanism.uses_identity) return channel_ != nullptr && !channel_->identity.empty();
  return true;
}

bool ServerSession::is_forbidden_in_clear(const sasl::Mechanism& mechanism) const { return mechanism.shows_secret && !is_secured_ && !options_->auth_in_clear; }

// The line of AUTH names what can be used now (section 3); XCLIENT is for those who may use it.
void ServerSession::append_ehlo(std::string& output) const {
  const std::string& text = is_secured_ ? options_->ehlo_reply_secured : options_->ehlo_reply;
  std::string auth;
  if ((options_->extensions & kAuth) != 0)
    for (const auto* mechanism : options_->mechanisms)
      if (is_usable(*mechanism) && !is_forbidden_in_clear(*mechanism)) auth.append(auth.empty() ? "AUTH " : " ").append(mechanism->name);
  std::vector<std::string> lines;
  if (!auth.empty()) lines.push_back(std::move(auth));
  if (allows_xclient_) lines.push_back(xclient_line());
  if (lines.empty()) {
    output += text;
    return;
  }
  const auto first_line = std::min(text.find('\n') + 1, text.size());
  const bool are_last = first_line == text.size();
  output.append("250-").append(text, 4, first_line - 4);
  for (const auto& line : lines) output.append(are_last && &line == &lines.back() ? "250 " : "250-").append(line).append("\r\n");
  output.append(text, first_line);
}

// Section 4.3: lines of AUTH and behind it have a limit of their own.
bool ServerSession::is_of_exchange(std::string_view piece) const {
  if (exchange_ != nullptr) return true;
  const std::string front = line_.substr(0, kVerb.size()) + std::string(piece.substr(0, kVerb.size()));
  return (extensions() & kAuth) != 0 && base::text::starts_with_ignoring_case(front, kVerb);
}

void ServerSession::auth(std::string_view argument, std::string& output) {
  const auto parsed = parse_auth(argument);
  if (!parsed) return reply(parsed.error(), output);
  if (identity_ != nullptr) return reply({ReplyId::BadSequence}, output);  // section 4
  const auto& offered = options_->mechanisms;
  const auto found = std::ranges::find_if(offered, [&](const auto* mechanism) { return base::text::equal_ignoring_case(mechanism->name, parsed->mechanism); });
  if (found == offered.end() || !is_usable(**found)) return reply({ReplyId::UnknownMechanism}, output);
  if (is_forbidden_in_clear(**found)) return reply({ReplyId::AuthNeedsEncryption}, output);

  sasl::Facts facts = channel_ != nullptr ? *channel_ : sasl::Facts();
  facts.server_name = options_->server_name;
  // Without a mechanism that binds, clients are right to believe that we cannot.
  if (std::ranges::none_of(offered, &sasl::Mechanism::binds_channel)) facts.bindings.clear();
  exchange_ = std::make_unique<Exchange>(*found, (*found)->start(facts), std::string());
  if (!parsed->initial_response) return follow(exchange_->machine->begin(std::nullopt), output);
  if ((*found)->asks == sasl::Question::Kind::Digest) return end_exchange(ReplyId::AuthMustNotStart, output);  // the server begins with a challenge
  const auto octets = base::from_base64(*parsed->initial_response);
  if (!octets) return end_exchange(ReplyId::BadAuthResponse, output);
  follow(exchange_->machine->begin(*octets), output);
}

void ServerSession::response(std::string_view line, std::string& output) {
  if (!exchange_->refusal.empty()) {  // whatever it says now
    output += exchange_->refusal;
    exchange_.reset();
    return;
  }
  if (line == "*") return end_exchange(ReplyId::AuthCancelled, output);
  const auto octets = base::from_base64(line);
  if (!octets) return end_exchange(ReplyId::BadAuthResponse, output);
  follow(exchange_->machine->respond(*octets), output);
}

void ServerSession::follow(const sasl::Move& move, std::string& output) {
  switch (move.kind) {
    case sasl::Move::Kind::Challenge: return append_challenge(output, move.challenge);
    case sasl::Move::Kind::Ask: return ask(Stage::Auth, output);
    case sasl::Move::Kind::Malformed: break;
  }
  end_exchange(ReplyId::BadAuthResponse, output);
}

void ServerSession::end_exchange(ReplyId id, std::string& output) {
  exchange_.reset();
  reply({id}, output);
}

void ServerSession::answer_keys(sasl::ScramKeys keys, std::string& output) {
  is_asking_ = false;
  ++progress_;
  follow(exchange_->machine->take_keys(std::move(keys)), output);
}

// Some mechanisms tell a client in a challenge why it is refused (RFC 7628 section 3.2.2); the reply comes behind its response.
bool ServerSession::keeps_refusal(const Answer& answer, std::string& output) {
  if (stage_ != Stage::Auth || answer.accepts || answer.closes || !answer.reply.starts_with('5')) return false;
  const auto last = exchange_->machine->last_challenge();
  if (!last) return false;
  exchange_->refusal = answer.reply;
  if (!count_error(output)) append_challenge(output, *last);
  return true;
}

void ServerSession::accept_auth(std::string& output) {
  const auto& question = exchange_->machine->question();
  identity_ = std::make_unique<Identity>(question.authorization.empty() ? question.user : question.authorization, exchange_->mechanism);
  exchange_.reset();
  reply({ReplyId::AuthSucceeded}, output);
}
void ServerSession::refuse_auth() { exchange_.reset(); }

}  // namespace smtp
