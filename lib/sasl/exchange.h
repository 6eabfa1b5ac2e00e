// The server's side of a SASL mechanism (RFC 4422) as a state machine without I/O: responses of the client go in, challenges come out,
// and in the end a question that somebody else answers. Base64 and the framing are the protocol's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/sasl/scram_keys.h"

namespace sasl {

// What the one who drives an exchange is to find out.
struct Question {
  enum class Kind : std::uint8_t {
    Password,   // are `user` and `secret`, a password, right?
    Digest,     // is `secret` the HMAC-MD5 of `challenge` under the password of `user`, in hexadecimal letters? (RFC 2195)
    Keys,       // the SCRAM keys of `user`: the exchange goes on with them
    Token,      // is `secret`, a bearer token, right, for `user` if that is not empty?
    Identity,   // may `user`, whom the connection has shown already, come in? (EXTERNAL)
    Trace,      // may somebody come in who calls himself `user`, if anything? (ANONYMOUS)
    Proven,     // the exchange itself has seen that `user` knows the password
    Disproven,  // ... or not
  };
  Kind kind = Kind::Disproven;
  std::string user;           // authentication identity
  std::string authorization;  // identity to act as; "" is the same
  std::string secret;         // never to be logged
  std::string challenge;

  Question() = default;
  Question(const Question&) = default;
  Question& operator=(const Question&) = default;
  Question(Question&&) = default;
  Question& operator=(Question&&) = default;
  ~Question();  // wipes the secret
};

struct Move {
  enum class Kind : std::uint8_t {
    Challenge,  // to be said to the client, whose response comes next
    Ask,        // question() is to be answered; the exchange is over with it, unless it was about keys
    Malformed,  // the client does not speak this mechanism: the exchange is over
  };
  Kind kind = Kind::Malformed;
  std::string challenge = {};  // octets
};

// What both ends of a TLS connection know and nobody between them can make the same for both (RFC 5929, RFC 9266).
struct ChannelBinding {
  std::string name;    // "tls-unique", "tls-server-end-point"
  std::string octets;
};

// What the driver knows of the connection.
struct Facts {
  std::string server_name;               // for challenges
  std::string identity;                  // who the client's certificate says it is; "": nobody
  std::vector<ChannelBinding> bindings;  // the client chooses
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  // The first call. Without an initial response a mechanism in which the client begins asks for it by an empty challenge
  // (RFC 4954 section 4); one in which the server begins has no place for one.
  virtual Move begin(std::optional<std::string_view> initial_response) {
    return initial_response ? respond(*initial_response) : Move{Move::Kind::Challenge};
  }
  virtual Move respond(std::string_view response) = 0;
  // The answer to a question about keys; those of_nobody() when there are none.
  virtual Move take_keys(ScramKeys keys);
  // A mechanism may have a challenge for a client that is refused, whose response says nothing more (RFC 7628 section 3.2.2).
  [[nodiscard]] virtual std::optional<std::string> last_challenge() const { return std::nullopt; }

  [[nodiscard]] const Question& question() const { return question_; }

 protected:
  Move ask(Question::Kind kind);
  Question question_;
};

}  // namespace sasl
