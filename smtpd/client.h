// A connection in the server's loop: octets between a stream and a conversation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/unique_fd.h"
#include "lib/chain/caller.h"
#include "lib/chain/policy_client.h"
#include "lib/net/stream.h"
#include "lib/net/workers.h"
#include "smtpd/checker.h"
#include "smtpd/conversation.h"
#include "smtpd/list_look_up.h"

namespace smtpd {

// What all clients of a server share. Outlives them.
class Clients {
 public:
  virtual net::Loop& loop() = 0;
  virtual chain::Caller& caller() = 0;
  virtual chain::PolicyClient& policies() = 0;
  virtual net::Workers& handshakers() = 0;  // where the arithmetic of handshakes delays nobody else
  virtual Checker& checker() = 0;
  // Of a section, or "", and how it asks DNS.
  virtual ListLookUp& lists(std::string_view section, const net::dns::Settings& dns) = 0;
  // One more session is made to wait until the token goes; nullptr: there are too many of them.
  virtual std::shared_ptr<const void> put_to_sleep() = 0;
  virtual bool is_stopping() const = 0;
  // For replies that are written at once; empty at the begin of each use.
  virtual std::string& output_buffer() = 0;
  virtual std::string& plaintext_buffer() = 0;  // the same, for what TLS clients say
  // A client has turned out to be at this address. False: there are too many from there.
  virtual bool set_address(std::size_t number, const net::Address& client) = 0;
  // Destroys the client with this number.
  virtual void remove(std::size_t number) = 0;
  // The number is checked once a second: when `deadline` (monotonic milliseconds, 0: none) is over, on_deadline() is called.
  virtual void set_deadline(std::size_t number, std::uint64_t deadline) = 0;
  // Since when it has nothing to show for its place, monotonic milliseconds; 0: it has. Who is so for longest makes way for others.
  virtual void set_idle(std::size_t number, std::uint64_t since) = 0;

 protected:
  ~Clients() = default;
};

class Client final : private net::StreamUser {
 public:
  Client(Clients& clients, std::size_t number, std::shared_ptr<const Configuration> configuration, Service service, Peer peer);
  ~Client();
  [[nodiscard]] base::Result<void> start(base::UniqueFd socket);  // greets; the client may have been removed by then

  void renumber(std::size_t number) { number_ = number; }
  void on_deadline();
  void hurry();     // stress has begun
  void make_way();  // for somebody else, at once
  void stop();           // of the server: ends the session unless a message is under way
  void stop_at_once();   // 421, whatever is under way
  [[nodiscard]] const Peer& peer() const { return conversation_.peer(); }

 private:
  enum class State : std::uint8_t {
    Silent,    // the client has to be, until it is greeted
    Talking,
    Announcing,  // a proxy says who the client is
    Handshaking,
    Asking,    // a policy has a question
    Looking,   // lists of addresses have not answered yet
    Checking,  // the client's credentials are looked at
    Calling,   // the chain has the message
    Delaying,  // the output waits
    Closing,   // our side is closed; what comes is thrown away until the client has closed too
  };

  void on_octets(std::string_view octets) override;
  void on_end(const base::Error* error) override;
  void on_drained() override;

  // Each may end in the destruction of this object: nothing is touched behind a call of them.
  void run(std::string_view input, std::string& output);
  void wait(std::string_view output);
  void ask(std::string_view unread, std::string_view output);
  void look_up();
  void check(std::string_view unread, std::string_view output);
  void call(std::string_view unread, std::string_view output);
  void pause(State state, std::string_view unread, std::string_view output);
  void begin(std::string_view input);
  void hear_proxy(std::string_view octets);
  void start_tls(std::string_view unread, std::string_view output);
  void begin_handshake();
  void shake_hands(std::string_view octets);
  void shaken();
  void hear(std::string_view octets);
  void say(std::string_view plaintext);
  void give_up();
  void delay(std::string_view unread, std::string& output);
  void go_on(std::string& output);
  void end(std::string_view unread, std::string_view output);
  void talked_first(std::string_view input);
  [[nodiscard]] bool is_turned_away(const net::Address& client) const;
  void close(smtp::ReplyId reply);
  [[nodiscard]] std::uint64_t now() const { return clients_.loop().now_milliseconds(); }

  // Only while there is something in it: input that came with or behind what is waited for, output that waits.
  struct Kept {
    std::string input, output;
    std::shared_ptr<const void> sleep = {};  // while the client is delayed
  };

  // TLS. A thread has it while a step of the handshake runs, even when the client has gone meanwhile.
  struct Secured {
    Secured(std::shared_ptr<const net::tls::Context> context, Client* the_client) : session(std::move(context)), client(the_client) {}
    net::tls::Session session;
    std::string input, plaintext, output;  // of the step
    std::string failure;
    Client* client;  // nullptr: nobody waits for the end of the step
  };

  Clients& clients_;
  std::size_t number_;
  net::Stream stream_;
  Conversation conversation_;
  std::unique_ptr<Kept> kept_;
  std::shared_ptr<Secured> tls_;  // nullptr: in clear
  std::uint64_t call_ = 0;  // handle of what is asked or called
  std::uint64_t look_up_ = 0;  // 0: none is under way
  ListLookUp* looked_up_by_ = nullptr;
  State state_ = State::Talking;
  std::uint64_t handshake_deadline_ = 0;
};

}  // namespace smtpd
