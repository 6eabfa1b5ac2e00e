// One connection to a server: socket, time limits and the session that is spoken over it.
#pragma once

#include <cstdint>
#include <string>

#include "deliver-remote/options.h"
#include "lib/net/loop.h"
#include "lib/net/stream.h"
#include "lib/smtp/client_session.h"

namespace remote {

class Connection;

// Whom a connection tells that its session has come into another state, from the loop, never from inside a call to it.
// It may destroy the connection then.
class ConnectionUser {
 public:
  virtual void on_change(Connection& connection) = 0;

 protected:
  ~ConnectionUser() = default;
};

class Connection final : net::StreamUser {
 public:
  // `options` is borrowed. `open` counts the connections there are.
  Connection(net::Loop& loop, const Options& options, Candidate to, std::size_t& open);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // An error when the system knows at once that it cannot be; else the session will be Ready or Closed.
  [[nodiscard]] base::Result<void> open(ConnectionUser& user);
  void set_user(ConnectionUser& user) { user_ = &user; }

  [[nodiscard]] const Candidate& to() const { return to_; }
  [[nodiscard]] const smtp::ClientSession& session() const { return session_; }
  [[nodiscard]] std::size_t transactions() const { return transactions_; }

  void begin(smtp::ClientTransaction transaction);
  [[nodiscard]] std::vector<Verdict> take_verdicts() { return session_.take_verdicts(); }
  void quit();
  // Why the session is Closed: it was never connected, or what the session says.
  [[nodiscard]] const Verdict& failure() const { return is_connected_ ? session_.failure() : connect_failure_; }

 private:
  void on_connected() override;
  void on_octets(std::string_view octets) override;
  void on_drained() override;
  void on_end(const base::Error* error) override;
  void on_time();
  void connect_failed(std::string cause);

  void push();     // what the session has to send, as far as the socket takes it
  void rewind();   // the time limit
  void settle();   // after each event: push, rewind, tell the user

  const Options& options_;
  Candidate to_;
  std::size_t& open_;
  ConnectionUser* user_ = nullptr;
  smtp::ClientSession session_;
  smtp::ClientSession::State told_ = smtp::ClientSession::State::Opening;
  net::Stream stream_;
  net::Timer timer_;
  std::uint64_t timed_progress_ = 0;
  std::uint64_t timed_limit_ = 0;
  std::size_t transactions_ = 0;
  bool is_connected_ = false;
  Verdict connect_failure_;
};

}  // namespace remote
