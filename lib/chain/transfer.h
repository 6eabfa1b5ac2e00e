// How rules want a recipient's mail to go: transfer_method of the context (vsmtp-chain(7)), and the target of a forward.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chain {

// Where a forward goes to, as a rule writes it:
//   example.org, example.org:2525, 192.0.2.1, 2001:db8::5, [2001:db8::5], fe80::5%eth0, 192.0.2.1:2525, [2001:db8::5]:2525,
//   smtp://user:password@example.org:587?tls=required, smtps://example.org
struct ForwardTarget {
  enum class Kind : std::uint8_t { Domain, Ip, Socket, Url };
  enum class Tls : std::uint8_t { None, Opportunistic, Required, Tunnel };

  Kind kind = Kind::Domain;
  std::string host;        // a name, or an address without brackets, with its scope
  std::uint16_t port = 0;  // 0: the standard one
  bool is_ipv6 = false;
  Tls tls = Tls::Opportunistic;
  std::string user, password;  // of a URL

  // nullopt: none of these forms.
  [[nodiscard]] static std::optional<ForwardTarget> parse(std::string_view text);
  // As parse() reads it, of the kind it has: what stands in the context.
  [[nodiscard]] std::string text() const;
  // The same for people: without the password.
  [[nodiscard]] std::string public_text() const;
  // HOST of a delivery call: always in brackets, since no mail exchangers are looked up.
  [[nodiscard]] std::string delivery_host() const;
  // Whether a connection as the transport makes it by itself is what the target asks for: no log-in, no TLS that must be.
  [[nodiscard]] bool is_plain() const;

  friend bool operator==(const ForwardTarget&, const ForwardTarget&) = default;
};

// The later ones have words: of Lmtp the host as HOST of a delivery call, of Pipe a command line, of File a path (with a slash at
// the end a Maildir), of Program the name of a transport; of Expanded "alias" or "list": nothing is sent, its mail goes on to others,
// and the sender who asked for that is told (RFC 3461 section 5.2.7).
enum class TransferMethod : std::uint8_t { Deliver, Mbox, Maildir, None, Forward, Lmtp, Pipe, File, Program, Expanded };
[[nodiscard]] constexpr bool has_words(TransferMethod method) { return method >= TransferMethod::Lmtp; }
// "Deliver", "Forward"
std::string_view name_of(TransferMethod method);
std::optional<TransferMethod> transfer_method_of(std::string_view name);

struct Transfer {
  TransferMethod method = TransferMethod::Deliver;
  ForwardTarget target;  // of Forward
  std::string words = {};  // of those that have some

  friend bool operator==(const Transfer&, const Transfer&) = default;
};

// "Domain", "Ip", "Socket", "Url": the member of {"Forward":{...}}.
std::string_view name_of(ForwardTarget::Kind kind);

}  // namespace chain
