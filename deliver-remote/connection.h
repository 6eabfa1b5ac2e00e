// One connection to a server: socket, TLS, time limits and the session that is spoken over it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "deliver-remote/options.h"
#include "deliver-remote/tls_needs.h"
#include "deliver-remote/tls_service.h"
#include "lib/net/loop.h"
#include "lib/net/stream.h"
#include "lib/smtp/client_session.h"

namespace remote {

// Where a connection goes, and how.
struct Approach {
  Candidate to;
  TlsNeeds tls;
  std::shared_ptr<const Profile> profile;
  bool is_clear_now = false;  // TLS could be, but has failed with this host

  [[nodiscard]] bool is_in_clear() const { return tls.level == TlsLevel::None || (is_clear_now && !tls.must_be_secured()); }

  // What the server is told that it is called (SNI); under DANE the name that its records are of: RFC 7672 section 8.1.
  [[nodiscard]] const std::string& server_name() const { return tls.dane ? tls.dane->base : to.name; }
  // Connections of the same key can stand in for each other.
  [[nodiscard]] std::string key() const;
};

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
  // References are borrowed. `open` counts the connections there are.
  Connection(net::Loop& loop, const Options& options, TlsService& tls, Approach approach, std::size_t& open);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // An error when it is known at once that it cannot be; else the session will be Ready or Closed.
  // `turn`: which of several own addresses it comes from.
  [[nodiscard]] base::Result<void> open(ConnectionUser& user, std::size_t turn);
  void set_user(ConnectionUser& user) { user_ = &user; }

  [[nodiscard]] const Candidate& to() const { return approach_.to; }
  // The address, and by what it was shown to be the right one: "mx.example.org[192.0.2.1]:25 (DANE-EE)".
  [[nodiscard]] std::string text() const { return to().text() + verified_by_; }
  [[nodiscard]] std::string own_ip() const { return net::Address::of_local(stream_.descriptor()).ip(); }
  [[nodiscard]] const TlsNeeds& needs() const { return approach_.tls; }
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] const smtp::ClientSession& session() const { return session_; }
  [[nodiscard]] std::size_t transactions() const { return transactions_; }
  [[nodiscard]] std::uint64_t opened_milliseconds() const { return opened_; }

  // Why a policy that is only tested would not have it; "": it would, or there is none.
  [[nodiscard]] std::string trial_objection() const;

  void begin(smtp::ClientTransaction transaction);
  [[nodiscard]] std::vector<Verdict> take_verdicts() { return session_.take_verdicts(); }
  void quit();
  // Why the session is Closed: it was never connected, or what the session says.
  // The host was there and has spoken, or not even that.
  [[nodiscard]] bool has_heard() const { return session_.progress() > 0; }
  [[nodiscard]] const Verdict& failure() const { return is_connected_ ? session_.failure() : connect_failure_; }
  // It was for want of TLS only that could be done without.
  [[nodiscard]] bool may_do_in_clear() const { return failed_in_handshake_ && !approach_.tls.must_be_secured(); }

 private:
  void on_connected() override;
  void on_octets(std::string_view octets) override;
  void on_drained() override;
  void on_end(const base::Error* error) override;
  void on_time();
  void connect_failed(std::string cause);

  // TLS. A thread has it while a step of the handshake runs, even when the connection has gone meanwhile.
  struct Secured {
    Secured(std::shared_ptr<const net::tls::Context> context, const net::tls::Called& called, Connection* the_connection)
        : session(std::move(context), called), connection(the_connection) {}
    net::tls::Session session;
    std::string input, plaintext, output;  // of the step
    std::string failure;
    std::shared_ptr<const DaneHost> dane;  // what the certificates are compared with, when they are all there
    net::dane::Match match;
    Connection* connection;  // nullptr: nobody waits for the end of the step
  };
  [[nodiscard]] bool is_shaking_hands() const { return tls_ && !session_.is_secured(); }
  void begin_handshake();
  void shake_hands(std::string_view octets);
  void shaken();
  void secured();
  void hear(std::string_view octets);
  void handshake_failed(const std::string& cause);
  void keep_tls_session();

  void push();     // what the session has to send, as far as the socket takes it
  void rewind();   // the time limit
  void settle();   // after each event: push, rewind, tell the user

  net::Loop& loop_;
  const Options& options_;
  TlsService& tls_service_;
  Approach approach_;
  std::string key_;
  std::size_t& open_;
  ConnectionUser* user_ = nullptr;
  smtp::ClientSession::Settings settings_;
  smtp::ClientSession session_;
  smtp::ClientSession::State told_ = smtp::ClientSession::State::Opening;
  net::Stream stream_;
  net::Timer timer_;
  std::shared_ptr<Secured> tls_;  // nullptr: in clear
  std::string sealed_;
  std::uint64_t opened_ = 0;
  std::uint64_t timed_progress_ = 0;
  std::uint64_t timed_limit_ = 0;
  std::size_t transactions_ = 0;
  bool is_connected_ = false;
  bool failed_in_handshake_ = false;
  bool is_tls_session_kept_ = false;
  std::string verified_by_;
  std::string trial_objection_;  // of the certificate
  Verdict connect_failure_;
};

}  // namespace remote
