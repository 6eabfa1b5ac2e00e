#include "deliver-remote/connection.h"

#include <algorithm>
#include <utility>

#include "lib/base/log.h"

namespace remote {
namespace {

using State = smtp::ClientSession::State;
using StartTls = smtp::ClientSession::StartTls;
using TimeLimits = smtp::ClientSession::TimeLimits;

smtp::ClientSession::Settings settings_for(const Options& options, const Approach& approach) {
  auto settings = options.session;
  settings.start_tls = approach.is_in_clear() ? StartTls::Never : approach.tls.must_be_secured() ? StartTls::Required : StartTls::IfOffered;
  settings.auth_mechanisms = approach.profile->auth_mechanisms;
  settings.auth_in_clear = approach.profile->auth_in_clear;
  if (const auto most = approach.profile->command_milliseconds; most > 0)
    for (const auto limit : {&TimeLimits::greeting, &TimeLimits::hello, &TimeLimits::tls, &TimeLimits::auth, &TimeLimits::mail, &TimeLimits::rcpt, &TimeLimits::data, &TimeLimits::block, &TimeLimits::message})
      settings.limits.*limit = most;
  return settings;
}

// Those of the other family cannot be used.
const net::Address* source_for(const Approach& approach, std::size_t turn) {
  std::vector<const net::Address*> fit;
  for (const auto& own : approach.profile->sources)
    if (own.system()->sa_family == approach.to.address.system()->sa_family) fit.push_back(&own);
  return fit.empty() ? nullptr : fit[turn % fit.size()];
}

}  // namespace

std::string Approach::key() const {
  std::string key = to.address.text() + "|" + std::string(name_of(tls.level)) + "|";
  if (tls.asks_authorities())
    for (const auto& name : tls.names) key += name + " ";
  if (tls.dane) {
    for (const auto& record : tls.dane->records) key += record.text() + " ";
    // Under DANE-TA the destination's name may be what the certificate was taken for.
    if (std::ranges::any_of(tls.dane->records, [](const auto& record) { return record.usage == net::dane::Usage::TrustAnchor; }))
      for (const auto& name : tls.dane->names) key += name + " ";
  }
  key += (tls.trial ? "trial|" : "|") + server_name() + "|";  // SNI: hosts of one address may have certificates of their own
  return key += profile->identity;
}

Connection::Connection(net::Loop& loop, const Options& options, TlsService& tls, Approach approach, std::size_t& open)
    : loop_(loop),
      options_(options),
      tls_service_(tls),
      approach_(std::move(approach)),
      key_(approach_.key()),
      open_(open),
      settings_(settings_for(options, approach_)),
      session_(settings_),
      stream_(loop, *this),
      timer_(loop, [this] { on_time(); }) {
  ++open_;
}

Connection::~Connection() {
  if (tls_) tls_->connection = nullptr;
  --open_;
}

base::Result<void> Connection::open(ConnectionUser& user, std::size_t turn) {
  user_ = &user;
  opened_ = loop_.now_milliseconds();
  auto login = approach_.profile->read_login();
  if (!login) return std::unexpected(std::move(login.error()));
  settings_.login = std::move(*login);
  if (const auto connecting = stream_.connect(to().address, source_for(approach_, turn)); !connecting) return connecting;
  timer_.start(options_.timeout_connect_milliseconds);
  return {};
}

std::string Connection::trial_objection() const {
  const auto& trial = approach_.tls.trial;
  if (!trial) return {};
  if (!trial->obstacle.empty()) return trial->obstacle;
  return session_.is_secured() ? trial_objection_ : "the host does not offer STARTTLS, or it failed";
}

void Connection::begin(smtp::ClientTransaction transaction) {
  keep_tls_session();
  ++transactions_;
  session_.begin(std::move(transaction));
  told_ = session_.state();
  push();
  rewind();
}

void Connection::quit() {
  session_.quit();
  told_ = session_.state();
  push();
  rewind();
}

void Connection::on_connected() {
  is_connected_ = true;
  stream_.start_reading();
  if (approach_.profile->tls_wrapper && approach_.tls.must_be_secured()) return begin_handshake();
  rewind();
}

void Connection::on_octets(std::string_view octets) {
  if (is_shaking_hands()) return shake_hands(octets);
  if (tls_) return hear(octets);
  session_.receive(octets);
  if (session_.state() == State::Securing) return begin_handshake();
  settle();
}

void Connection::on_drained() {
  settle();
}

void Connection::on_end(const base::Error* error) {
  if (!is_connected_) return connect_failed(error != nullptr ? error->cause : "connection closed");
  failed_in_handshake_ = failed_in_handshake_ || is_shaking_hands();
  session_.on_connection_end(error != nullptr ? std::string_view(error->cause) : "connection closed");
  settle();
}

void Connection::on_time() {
  if (!is_connected_) return connect_failed("not connected within " + std::to_string((options_.timeout_connect_milliseconds + 999) / 1000) + " s");
  failed_in_handshake_ = failed_in_handshake_ || is_shaking_hands();
  session_.on_time_limit();
  settle();
}

void Connection::connect_failed(std::string cause) {
  connect_failure_ = our_verdict(Verdict::Class::Temporary, 451, "4.4.1", std::move(cause));
  timer_.stop();
  session_.on_connection_end("not connected");
  settle();
}

// ---- TLS

// May end in the end of the connection, as whatever settles.
void Connection::begin_handshake() {
  auto context = tls_service_.context(*approach_.profile, approach_.tls.asks_authorities());
  if (!context && approach_.tls.level < TlsLevel::Verify && approach_.tls.trial) {  // authorities are asked for a trial only: that holds up nothing
    trial_objection_ = context.error().cause;
    context = tls_service_.context(*approach_.profile, false);
  }
  if (!context) {
    handshake_failed(context.error().cause);
    return settle();
  }
  rewind();
  // A session that is resumed shows no chain: under DANE there is none.
  const auto resumption = approach_.tls.dane ? std::string() : tls_service_.sessions().find(key_);
  tls_ = std::make_shared<Secured>(*context, net::tls::Called{approach_.server_name(), resumption}, this);
  tls_->dane = approach_.tls.dane;
  shake_hands({});
}

// Nothing is read while a step runs.
void Connection::shake_hands(std::string_view octets) {
  stream_.stop_reading();
  tls_->input = octets;
  const auto step = [tls = tls_] {
    if (const auto received = tls->session.receive(tls->input, tls->plaintext, tls->output); !received) tls->failure = received.error().cause;
    if (tls->dane && tls->session.is_open()) tls->match = net::dane::match(tls->session.peer_chain(), tls->dane->records);
  };
  const auto done = [tls = tls_] {
    if (tls->connection != nullptr) tls->connection->shaken();
  };
  tls_service_.run(step, done);
}

void Connection::shaken() {
  stream_.write(std::exchange(tls_->output, {}));
  if (session_.state() == State::Closed) return;  // its time was over meanwhile
  stream_.start_reading();
  tls_->input = std::string();
  if (!tls_->failure.empty()) {
    tls_service_.sessions().forget(key_);
    handshake_failed(tls_->failure);
  } else if (tls_->session.is_open()) {
    secured();
  }
  settle();
}

void Connection::secured() {
  auto facts = tls_->session.facts();
  if (const auto objection = objection_to(facts, approach_.tls, tls_->match)) return handshake_failed(*objection);
  if (approach_.tls.trial && trial_objection_.empty()) trial_objection_ = objection_to(facts, *approach_.tls.trial).value_or("");
  if (approach_.tls.reason == "MTA-STS") verified_by_ = " (MTA-STS)";
  if (tls_->match.usage) verified_by_ = " (" + std::string(name_of(*tls_->match.usage)) + ")";
  base::log::debug("TLS", {{"host", to().text()}, {"protocol", facts.protocol}, {"cipher", facts.cipher}, {"resumed", facts.is_resumed ? "yes" : "no"}, {"level", approach_.tls.text()}});
  std::vector<sasl::ChannelBinding> bindings;
  if (!facts.unique.empty()) bindings.push_back({"tls-unique", std::move(facts.unique)});
  if (!facts.server_end_point.empty()) bindings.push_back({"tls-server-end-point", std::move(facts.server_end_point)});
  session_.on_secured(std::move(bindings));
  const auto plaintext = std::exchange(tls_->plaintext, {});
  session_.receive(plaintext);
}

void Connection::handshake_failed(const std::string& cause) {
  failed_in_handshake_ = true;
  session_.on_tls_failure(cause);
}

void Connection::hear(std::string_view octets) {
  auto& own = *tls_;
  const auto received = own.session.receive(octets, own.plaintext, own.output);
  stream_.write(std::exchange(own.output, {}));
  const auto plaintext = std::exchange(own.plaintext, {});
  session_.receive(plaintext);
  if (!received) {
    session_.on_connection_end(received.error().cause);
  } else if (*received == net::tls::Session::Status::Ended) {
    session_.on_connection_end("connection closed");
  }
  settle();
}

// Behind the reply to EHLO, when also a server of TLS 1.3 has given what resumes it.
void Connection::keep_tls_session() {
  if (!tls_ || tls_->dane || std::exchange(is_tls_session_kept_, true)) return;
  tls_service_.sessions().keep(key_, tls_->session.resumption());
}

// ---- octets out

// A block at a time, and the next when the socket has taken it: what waits here does not grow with the message.
void Connection::push() {
  if (is_shaking_hands()) return;
  while (stream_.takes_more()) {
    const auto octets = session_.next_output();
    if (octets.empty()) return;
    if (!tls_) {
      stream_.write(octets);
      continue;
    }
    sealed_.clear();
    tls_->session.send(octets, sealed_);
    stream_.write(sealed_);
  }
}

void Connection::rewind() {
  const auto limit = session_.time_limit_milliseconds();
  if (limit == timed_limit_ && session_.progress() == timed_progress_) return;
  timed_limit_ = limit;
  timed_progress_ = session_.progress();
  if (limit == 0) {
    timer_.stop();
  } else {
    timer_.start(limit);
  }
}

void Connection::settle() {
  push();
  rewind();
  if (session_.state() == told_) return;
  told_ = session_.state();
  user_->on_change(*this);
}

}  // namespace remote
