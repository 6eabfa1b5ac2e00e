// The client's side of SASL mechanisms (RFC 4422) as a state machine without I/O. Base64 and the framing are the protocol's.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/sasl/exchange.h"

namespace sasl {

struct Login {
  std::string user;
  std::string password;  // never to be logged

  Login() = default;
  Login(std::string the_user, std::string the_password) : user(std::move(the_user)), password(std::move(the_password)) {}
  Login(const Login&) = default;
  Login& operator=(const Login&) = default;
  Login(Login&&) = default;
  Login& operator=(Login&&) = default;
  ~Login();  // wipes the password
};

class ClientExchange {
 public:
  virtual ~ClientExchange() = default;
  // nullopt: the server begins.
  virtual std::optional<std::string> initial_response() { return std::nullopt; }
  // nullopt: the server does not speak this mechanism, or has not shown that it knows the password.
  virtual std::optional<std::string> respond(std::string_view challenge) = 0;
  // Whether the server may say yes now: in SCRAM not before it has shown that it knows the password.
  [[nodiscard]] virtual bool may_succeed() const = 0;
};

// What the client knows of the connection.
struct ClientFacts {
  bool is_secured = false;               // by TLS
  bool shows_secrets_in_clear = false;   // told to by the configuration
  std::vector<ChannelBinding> bindings;  // best first
};

struct ClientMechanism {
  std::string_view name;
  bool shows_secret;   // who listens learns the password
  bool binds_channel;  // needs one of ClientFacts::bindings
};
// Best first: SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, LOGIN.
std::span<const ClientMechanism> client_mechanisms();

// The best one that the server offers ("PLAIN LOGIN"), that `allowed` has if it is not empty, and that the connection is fit for; nullptr: there
// is none.
[[nodiscard]] const ClientMechanism* choose_mechanism(std::string_view offered, std::span<const std::string> allowed, const ClientFacts& facts);

// nullptr: `login` has what the mechanism cannot carry (a control character). `offered` is for SCRAM, which tells the server what it
// believes to have been offered.
[[nodiscard]] std::unique_ptr<ClientExchange> begin_exchange(const ClientMechanism& mechanism, const Login& login, std::string_view offered, const ClientFacts& facts);

}  // namespace sasl
