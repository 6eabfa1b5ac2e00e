#include "smtpd/client.h"

#include <utility>

#include "lib/base/log.h"
#include "lib/net/proxy_header.h"
#include "smtpd/meters.h"

namespace smtpd {
namespace {

// A client that sends commands and does not read replies is not read any more until it has.
constexpr std::size_t kMaxUnsentOctets = 256 * 1024;
// How long a client may take to read the last reply and to close.
constexpr std::uint64_t kClosingMilliseconds = 5000;

}  // namespace

Client::Client(Clients& clients, std::size_t number, std::shared_ptr<const Configuration> configuration, Service service, Peer peer)
    : clients_(clients),
      number_(number),
      stream_(clients.loop(), *this),
      conversation_(std::move(configuration), service, std::move(peer), clients.loop().now_milliseconds()) {}

Client::~Client() { give_up(); }

// Nobody waits for the answer any more.
void Client::give_up() {
  if (state_ == State::Calling) clients_.caller().cancel(call_);
  if (state_ == State::Asking) clients_.policies().cancel(call_);
  if (look_up_ != 0) looked_up_by_->cancel(std::exchange(look_up_, 0));
  if (tls_) tls_->client = nullptr;
  if (state_ == State::Checking) clients_.checker().cancel(call_);
}

base::Result<void> Client::start(base::UniqueFd socket) {
  auto adopted = stream_.adopt(std::move(socket));
  if (!adopted) return adopted;
  stream_.start_reading();
  if (!conversation_.begins_with_proxy_header()) {
    begin({});
  } else {
    state_ = State::Announcing;
    kept_ = std::make_unique<Kept>();
    clients_.set_deadline(number_, now() + conversation_.configuration().time.handshake);
  }
  return {};
}

void Client::begin(std::string_view input) {
  look_up();
  if (conversation_.begins_with_tls()) {
    begin_handshake();
    if (!input.empty()) shake_hands(input);
    return;
  }
  const auto delay = conversation_.greeting_delay();
  if (delay == 0) return run(input, clients_.output_buffer());
  state_ = State::Silent;
  clients_.set_deadline(number_, now() + delay);
  if (!input.empty()) talked_first(input);
}

// A connection that does not begin as it must is closed without a word: it is no client that could read one.
void Client::hear_proxy(std::string_view octets) {
  kept_->input += octets;
  std::string_view rest = kept_->input;
  net::ProxyHeader header;
  switch (header.read(rest)) {
    case net::ProxyHeader::Status::NeedMore: return;
    case net::ProxyHeader::Status::Malformed:
      base::log::info("no header of the PROXY protocol", {{"id", conversation_.id()}, {"client", peer().client_ip}});
      return clients_.remove(number_);
    case net::ProxyHeader::Status::Read: break;
  }
  const bool is_let_in = header.client.is_empty() || (clients_.set_address(number_, header.client) && !is_turned_away(header.client));
  conversation_.take(header);
  state_ = State::Talking;
  const auto kept = std::exchange(kept_, nullptr);
  if (!is_let_in) return close(smtp::ReplyId::TooManyConnections);
  begin(rest);
}

// By the shield, which could not know before.
bool Client::is_turned_away(const net::Address& client) const {
  const auto& shield = conversation_.configuration().shield;
  const std::string why = shield ? shield->turns_away(client) : std::string();
  if (!why.empty()) base::log::info("turned away", {{"id", conversation_.id()}, {"client", client.ip()}, {"cause", why}});
  return !why.empty();
}

void Client::on_octets(std::string_view octets) {
  if (state_ == State::Announcing) return hear_proxy(octets);
  if (state_ == State::Handshaking) return shake_hands(octets);
  if (state_ == State::Silent) return talked_first(octets);
  if (state_ != State::Talking) return;
  if (tls_) return hear(octets);
  run(octets, clients_.output_buffer());
}

// What is in `output` already is said first.
void Client::run(std::string_view input, std::string& output) {
  switch (conversation_.advance(input, output, now())) {
    case Conversation::Next::Read: return wait(output);
    case Conversation::Next::Ask: return ask(input, output);
    case Conversation::Next::Look: pause(State::Looking, input, output); return look_up();
    case Conversation::Next::Check: return check(input, output);
    case Conversation::Next::Call: return call(input, output);
    case Conversation::Next::StartTls: return start_tls(input, output);
    case Conversation::Next::Delay: return delay(input, output);
    case Conversation::Next::Close: return end(input, output);
  }
}

void Client::wait(std::string_view output) {
  say(output);
  if (clients_.is_stopping() && !conversation_.is_in_transaction()) return close(smtp::ReplyId::ShuttingDown);
  clients_.set_deadline(number_, conversation_.deadline());
  clients_.set_idle(number_, conversation_.idle_since());
  if (stream_.unsent_octets() > kMaxUnsentOctets) stream_.stop_reading();
}

void Client::on_drained() {
  if (state_ == State::Talking) stream_.start_reading();
}

// Until there is an answer nothing is read, and what was read waits.
void Client::pause(State state, std::string_view unread, std::string_view output) {
  state_ = state;
  say(output);
  stream_.stop_reading();
  if (!unread.empty()) kept_ = std::make_unique<Kept>(Kept{std::string(unread), {}});
  clients_.set_deadline(number_, 0);
  clients_.set_idle(number_, 0);
}

void Client::ask(std::string_view unread, std::string_view output) {
  pause(State::Asking, unread, output);
  call_ = clients_.policies().ask(conversation_.policy(), conversation_.question(), [this](const base::Result<chain::PolicyAttributes>& answer) {
    conversation_.answer_question(answer);
    go_on(clients_.output_buffer());
  });
}

// The session goes on meanwhile, until it must know.
void Client::look_up() {
  const auto client = conversation_.client_to_look_up();
  if (!client) return;
  if (look_up_ != 0) looked_up_by_->cancel(look_up_);
  looked_up_by_ = &clients_.lists(conversation_.lists_section(), conversation_.lists_dns());
  look_up_ = looked_up_by_->look_up(conversation_.configuration().lists, *client, [this](const DnsListFindings& findings) {
    look_up_ = 0;
    conversation_.take_lists(findings);
    if (state_ == State::Looking) go_on(clients_.output_buffer());
  });
}

void Client::check(std::string_view unread, std::string_view output) {
  pause(State::Checking, unread, output);
  call_ = clients_.checker().check(conversation_.configuration().authentication, conversation_.credentials(), [this](CheckAnswer answer) {
    auto& reply = clients_.output_buffer();
    conversation_.answer_check(std::move(answer), reply);
    go_on(reply);
  });
}

void Client::call(std::string_view unread, std::string_view output) {
  pause(State::Calling, unread, output);
  call_ = clients_.caller().call(conversation_.call_words(), conversation_.take_call(), [this](const chain::Outcome& outcome) {
    auto& reply = clients_.output_buffer();
    conversation_.answer(outcome, reply);
    go_on(reply);
  });
}

void Client::delay(std::string_view unread, std::string& output) {
  auto sleep = clients_.put_to_sleep();
  if (sleep == nullptr) {
    conversation_.note_end("too many sessions are delayed");
    conversation_.close(smtp::ReplyId::TooManyErrors, output);
    return end(unread, output);
  }
  state_ = State::Delaying;
  stream_.stop_reading();
  kept_ = std::make_unique<Kept>(Kept{std::string(unread), std::move(output), std::move(sleep)});
  clients_.set_idle(number_, conversation_.is_trusted() ? 0 : now());
  clients_.set_deadline(number_, now() + conversation_.delay());
}

// ---- TLS ------------------------------------------------------------------------------------------------------------

// What came behind STARTTLS came in clear, from whoever could: it is not taken for something said under TLS (RFC 3207 section 4.2).
void Client::start_tls(std::string_view unread, std::string_view output) {
  stream_.write(output);
  if (!unread.empty()) base::log::info("octets behind STARTTLS were thrown away", {{"id", conversation_.id()}, {"client", peer().client_ip}, {"octets", unread.size()}});
  begin_handshake();
}

void Client::begin_handshake() {
  state_ = State::Handshaking;
  clients_.set_idle(number_, conversation_.is_trusted() ? 0 : now());
  tls_ = std::make_shared<Secured>(conversation_.tls_context(), this);
  handshake_deadline_ = now() + conversation_.handshake_time();
  clients_.set_deadline(number_, handshake_deadline_);
}

void Client::shake_hands(std::string_view octets) {
  stream_.stop_reading();
  tls_->input = octets;
  const auto step = [tls = tls_] {
    if (const auto received = tls->session.receive(tls->input, tls->plaintext, tls->output); !received) tls->failure = received.error().cause;
  };
  const auto done = [tls = tls_] {
    if (tls->client != nullptr) tls->client->shaken();
  };
  clients_.handshakers().give(step, done);
}

void Client::shaken() {
  stream_.write(std::exchange(tls_->output, {}));
  stream_.start_reading();
  if (!tls_->failure.empty()) {
    count(Meter::TlsFailed);
    base::log::info("TLS handshake failed", {{"id", conversation_.id()}, {"client", peer().client_ip}, {"cause", tls_->failure}});
    return end({}, {});
  }
  if (!tls_->session.is_open()) return;
  tls_->input = std::string();
  const auto plaintext = std::exchange(tls_->plaintext, {});
  state_ = State::Talking;
  conversation_.tls_started(tls_->session.facts());
  run(plaintext, clients_.output_buffer());
}

void Client::hear(std::string_view octets) {
  auto& plaintext = clients_.plaintext_buffer();
  std::string alert;
  const auto received = tls_->session.receive(octets, plaintext, alert);
  stream_.write(alert);
  if (!received) {
    conversation_.note_end(received.error().cause);
    return clients_.remove(number_);
  }
  if (!plaintext.empty()) run(plaintext, clients_.output_buffer());
}

void Client::say(std::string_view plaintext) {
  if (!tls_) return stream_.write(plaintext);
  if (plaintext.empty() || !tls_->session.is_open()) return;
  std::string octets;
  tls_->session.send(plaintext, octets);
  stream_.write(octets);
}

// ---------------------------------------------------------------------------------------------------------------------

// With the input that was kept, behind what has just been decided.
void Client::go_on(std::string& output) {
  state_ = State::Talking;
  const auto kept = std::exchange(kept_, nullptr);
  if (kept) kept->sleep.reset();
  stream_.start_reading();
  run(kept ? std::string_view(kept->input) : std::string_view(), output);
}

// A socket that is closed with unread input resets the connection, and the client may never see the last reply. So only our side is
// closed until the client has closed its own; but who said QUIT says nothing more.
void Client::end(std::string_view unread, std::string_view output) {
  say(output);
  if (tls_ && tls_->session.is_open()) {
    std::string goodbye;
    tls_->session.close(goodbye);
    stream_.write(goodbye);
  }
  if (conversation_.has_quit() && unread.empty() && stream_.unsent_octets() == 0) return clients_.remove(number_);
  give_up();
  state_ = State::Closing;
  kept_ = nullptr;
  stream_.shut_down();
  stream_.start_reading();
  clients_.set_idle(number_, now());
  clients_.set_deadline(number_, now() + kClosingMilliseconds);
}

void Client::talked_first(std::string_view input) {
  auto& output = clients_.output_buffer();
  if (!conversation_.talked_first(output)) return end({}, output);
  stream_.stop_reading();
  kept_ = std::make_unique<Kept>(Kept{std::string(input), {}});
}

void Client::close(smtp::ReplyId reply) {
  auto& output = clients_.output_buffer();
  conversation_.close(reply, output);
  end({}, output);
}

void Client::on_end(const base::Error* error) {
  if (state_ != State::Closing) conversation_.note_end(error != nullptr ? error->cause : "the client closed the connection");
  // One that closed only its sending side still gets what it is owed.
  if (error == nullptr && state_ == State::Talking && stream_.unsent_octets() > 0) return end({}, {});
  clients_.remove(number_);
}

void Client::on_deadline() {
  if (state_ == State::Closing || state_ == State::Announcing) return clients_.remove(number_);
  if (state_ == State::Silent) {
    return go_on(clients_.output_buffer());
  }
  if (state_ == State::Handshaking) {
    count(Meter::TlsFailed);
    base::log::info("TLS handshake failed", {{"id", conversation_.id()}, {"client", peer().client_ip}, {"cause", "timeout"}});
    return clients_.remove(number_);
  }
  if (state_ == State::Delaying) {
    auto& output = clients_.output_buffer();
    output = kept_->output;
    return go_on(output);
  }
  conversation_.note_timeout();
  close(smtp::ReplyId::Timeout);
}

void Client::hurry() {
  if (state_ == State::Handshaking) return clients_.set_deadline(number_, std::min(handshake_deadline_, now() + conversation_.handshake_time()));
  if (state_ != State::Talking) return;
  conversation_.hurry(now());
  clients_.set_deadline(number_, conversation_.deadline());
}

void Client::make_way() {
  if (state_ != State::Closing) {
    conversation_.note_end("makes way for others");
    auto& output = clients_.output_buffer();
    conversation_.close(smtp::ReplyId::TooBusy, output);
    if (state_ != State::Handshaking) say(output);
  }
  clients_.remove(number_);
}

void Client::stop() {
  if (state_ == State::Handshaking || state_ == State::Announcing) return clients_.remove(number_);
  const bool is_idle = state_ == State::Silent || state_ == State::Delaying || (state_ == State::Talking && !conversation_.is_in_transaction());
  if (is_idle) close(smtp::ReplyId::ShuttingDown);
}

void Client::stop_at_once() {
  if (state_ == State::Closing) return;
  if (state_ == State::Handshaking) return clients_.remove(number_);
  conversation_.note_end("the server stops");
  close(smtp::ReplyId::ShuttingDown);
}

}  // namespace smtpd
