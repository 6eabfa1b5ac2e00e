// The client's session between EHLO and Ready: STARTTLS (RFC 3207) and AUTH (RFC 4954).
#include <cassert>
#include <utility>

#include "lib/base/base64.h"
#include "lib/sasl/crypto.h"
#include "lib/smtp/client_session.h"

namespace smtp {
namespace {

using Class = Verdict::Class;

// Nothing of this says anything about the mail: it waits.
Verdict ours(ClientStage stage, std::string_view status, std::string text) { return {Class::Temporary, stage, true, {451, std::string(status), std::move(text)}}; }

constexpr int kGoOn = 334;

}  // namespace

void ClientSession::go_on_after_hello() {
  if (!is_secured_ && settings_->start_tls != StartTls::Never) {
    if (extensions_.starttls) return plan(ClientStage::StartTls);
    if (settings_->start_tls == StartTls::Required) return fail(ours(ClientStage::Hello, "4.7.10", "TLS is required, and the host does not offer STARTTLS"));
  }
  if (settings_->login) return begin_auth();
  state_ = State::Ready;
}

// ---- STARTTLS

void ClientSession::put_start_tls() { commands_ += "STARTTLS\r\n"; }

void ClientSession::on_start_tls(Reply reply) {
  if (reply.digit() == 2) {
    state_ = State::Securing;
  } else if (settings_->start_tls == StartTls::Required) {
    fail({Class::Temporary, ClientStage::StartTls, false, std::move(reply)});
  } else {
    extensions_.starttls = false;
    go_on_after_hello();
  }
}

void ClientSession::on_secured(std::vector<sasl::ChannelBinding> bindings) {
  is_secured_ = true;
  bindings_ = std::move(bindings);
  if (state_ != State::Securing) return;
  extensions_ = {};  // what was said in clear is forgotten (RFC 3207 section 4.2)
  state_ = State::Opening;
  plan(ClientStage::Hello);
  send_planned();
}

void ClientSession::on_tls_failure(std::string cause) { fail(ours(ClientStage::StartTls, "4.7.5", std::move(cause))); }

// ---- AUTH

void ClientSession::begin_auth() {
  const sasl::ClientFacts facts{is_secured_, settings_->auth_in_clear, bindings_};
  if (!extensions_.auth) return fail(ours(ClientStage::Auth, "4.7.4", "a log-in is required, and the host does not offer AUTH"));
  const auto& offered = extensions_.auth_mechanisms;
  const auto* const mechanism = sasl::choose_mechanism(offered, settings_->auth_mechanisms, facts);
  if (mechanism == nullptr) return fail(ours(ClientStage::Auth, "4.7.4", "the host offers AUTH " + offered + ", of which nothing may be used" + (is_secured_ ? "" : " without TLS")));
  auth_ = sasl::begin_exchange(*mechanism, *settings_->login, offered, facts);
  if (!auth_) return fail(ours(ClientStage::Auth, "4.3.5", "user or password that AUTH cannot carry"));
  auth_line_ = "AUTH " + std::string(mechanism->name);
  if (const auto initial = auth_->initial_response()) auth_line_ += " " + (initial->empty() ? "=" : base::to_base64(*initial));
  plan(ClientStage::Auth);
}

void ClientSession::put_auth() {
  commands_ += auth_line_ + "\r\n";
  sasl::wipe(auth_line_);
}

void ClientSession::on_auth(Reply reply) {
  sasl::wipe(handed_out_);
  if (reply.code == kGoOn) {
    const auto challenge = base::from_base64(reply.text);
    const auto response = challenge ? auth_->respond(*challenge) : std::nullopt;
    if (!response) return fail(ours(ClientStage::Auth, "4.7.8", "the host speaks the mechanism of AUTH wrongly, or does not know the password itself"));
    auth_line_ = base::to_base64(*response);
    return plan(ClientStage::Auth);
  }
  // A log-in that is refused is a mistake of this side, which somebody will mend.
  if (reply.digit() != 2) return fail({Class::Temporary, ClientStage::Auth, false, std::move(reply)});
  if (!auth_->may_succeed()) return fail(ours(ClientStage::Auth, "4.7.8", "the host takes the log-in without having shown that it knows the password"));
  auth_.reset();
  state_ = State::Ready;
}

}  // namespace smtp
