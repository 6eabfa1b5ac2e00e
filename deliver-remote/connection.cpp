#include "deliver-remote/connection.h"

#include <utility>

namespace remote {

using State = smtp::ClientSession::State;

Connection::Connection(net::Loop& loop, const Options& options, Candidate to, std::size_t& open)
    : options_(options), to_(std::move(to)), open_(open), session_(options.session), stream_(loop, *this), timer_(loop, [this] { on_time(); }) {
  ++open_;
}

Connection::~Connection() { --open_; }

base::Result<void> Connection::open(ConnectionUser& user) {
  user_ = &user;
  const net::Address* source = nullptr;
  for (const auto& own : options_.sources)
    if (own.system()->sa_family == to_.address.system()->sa_family) source = &own;
  if (const auto connecting = stream_.connect(to_.address, source); !connecting) return connecting;
  timer_.start(options_.timeout_connect_milliseconds);
  return {};
}

void Connection::begin(smtp::ClientTransaction transaction) {
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
  rewind();
}

void Connection::on_octets(std::string_view octets) {
  session_.receive(octets);
  settle();
}

void Connection::on_drained() {
  settle();
}

void Connection::on_end(const base::Error* error) {
  if (!is_connected_) return connect_failed(error != nullptr ? error->cause : "connection closed");
  session_.on_connection_end(error != nullptr ? std::string_view(error->cause) : "connection closed");
  settle();
}

void Connection::on_time() {
  if (!is_connected_) return connect_failed("not connected within " + std::to_string((options_.timeout_connect_milliseconds + 999) / 1000) + " s");
  session_.on_time_limit();
  settle();
}

void Connection::connect_failed(std::string cause) {
  connect_failure_ = our_verdict(Verdict::Class::Temporary, 451, "4.4.1", std::move(cause));
  timer_.stop();
  session_.on_connection_end("not connected");
  settle();
}

// A block at a time, and the next when the socket has taken it: what waits here does not grow with the message.
void Connection::push() {
  while (stream_.takes_more()) {
    const auto octets = session_.next_output();
    if (octets.empty()) return;
    stream_.write(octets);
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
