// TLS (RFC 8446, RFC 5246) by mbedTLS, without I/O: a session eats what came from the peer and says what is to be sent. Whoever
// drives it has the sockets, and may do so in any thread, in one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace net::tls {

class TicketKeys;

// A chain of certificates, the server's own first, and its key; both PEM. An empty `key`: it stands in the file of the certificate.
struct CredentialFiles {
  std::string certificate, key;
  friend bool operator==(const CredentialFiles&, const CredentialFiles&) = default;
};

enum class ClientCertificate : std::uint8_t { NotAsked, Asked, Required };

struct ServerOptions {
  // For clients that name nobody (SNI, RFC 6066 section 3), or a name that no other certificate has. One for ECDSA and one for RSA may stand
  // side by side: what the client can decides.
  std::vector<CredentialFiles> standard;
  // For clients that name `domain`, or a name in one of its certificates.
  struct Virtual {
    std::string domain;
    std::vector<CredentialFiles> credentials;
  };
  std::vector<Virtual> virtuals;
  std::vector<std::string> cipher_suites;  // as IANA writes them, best first; empty: all with ECDHE and AEAD
  ClientCertificate client_certificate = ClientCertificate::NotAsked;
  std::string client_authorities;          // PEM file: who signs certificates of clients
  std::shared_ptr<TicketKeys> ticket_keys;  // nullptr: no tickets (RFC 5077)
};

struct ClientOptions {
  std::string authorities;      // PEM file, or a folder of such: who signs certificates of servers; "": nobody is believed
  CredentialFiles credentials;  // for servers that ask; an empty certificate: there is none to show
  std::vector<std::string> cipher_suites;  // as a server has them; empty: older ones too, behind those
  bool newest_only = false;     // TLS 1.3, with a library that has it
};

// What sessions share. Never changes: a reload makes another one, open sessions keep theirs.
class Context;
// Reads all files; the error names those that are wrong.
[[nodiscard]] base::Result<std::shared_ptr<const Context>> server(const ServerOptions& options);
[[nodiscard]] base::Result<std::shared_ptr<const Context>> client(const ClientOptions& options);
// Every suite that a server or client may be told to use.
[[nodiscard]] std::vector<std::string> known_cipher_suites();

// Keys of a server's tickets: another one in each period, made of the one before in a way that does not lead back. Copies of it in other
// processes, made by fork(2), come to the same keys, so that a client may resume its session with any of them.
[[nodiscard]] std::shared_ptr<TicketKeys> make_ticket_keys(std::uint64_t lifetime_milliseconds);

struct PeerCertificate {
  std::string subject, issuer;  // "C=DE, O=..., CN=..."
  std::string common_name;      // CN of the subject; the last one where there are several
  std::string fingerprint;      // SHA-256 of the whole, hexadecimal
  std::string key_fingerprint;  // ... of its public key (SubjectPublicKeyInfo)
  std::vector<std::string> names;  // e-mail addresses and DNS names of it
  std::vector<std::string> addresses;  // IP addresses of it
  bool is_verified = false;     // by an authority that this end knows, and in its time; whoever it names
  std::string problem;          // why it is not
};

struct Facts {
  std::string protocol;     // "TLSv1.2"
  std::string cipher;       // "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
  unsigned key_bits = 0;    // of the cipher
  std::string server_name;  // what the client asked for; "" when it did not
  bool is_resumed = false;  // without the server's certificate
  // Channel bindings (RFC 5929); "": there is none. The first only of a full handshake under TLS 1.2: without the extended master secret
  // (RFC 7627) that of a resumed one may be known to somebody in between.
  std::string unique, server_end_point;
  std::string exporter;        // RFC 9266, under TLS 1.3
  std::string virtual_domain;  // whose certificate that was: ServerOptions::Virtual::domain; "": the standard one
  std::unique_ptr<PeerCertificate> peer;
};

// The server that a client calls.
struct Called {
  std::string server_name;  // which it is told (SNI); "": it is not, as for addresses
  std::string resumption;   // Session::resumption() of an earlier session with it
};

class Session {
 public:
  // Of a server, or of a client: whatever the context is for. A client begins with receive() of nothing.
  explicit Session(std::shared_ptr<const Context> context, const Called& called = {});
  ~Session();

  enum class Status : std::uint8_t {
    Handshaking,  // wants more of the peer's octets
    Open,
    Ended,        // the peer said that it sends no more
  };
  // All of `octets` is eaten: what the peer said is appended to `plaintext`, what it must be told to `output`, also when this
  // fails: an alert.
  [[nodiscard]] base::Result<Status> receive(std::string_view octets, std::string& plaintext, std::string& output);
  // Only when open.
  void send(std::string_view plaintext, std::string& output);
  // Says that no more will be sent.
  void close(std::string& output);

  [[nodiscard]] bool is_open() const;
  [[nodiscard]] Facts facts() const;  // of one that is open
  // The certificates that the peer has shown, its own first, DER; of a session that was resumed at most that one.
  [[nodiscard]] std::vector<std::string> peer_chain() const;
  // Of a client's session that is open: what the next one with this server may begin with. It holds secrets. "": nothing. A server of
  // TLS 1.3 gives it some time behind the handshake.
  [[nodiscard]] std::string resumption() const;

 private:
  struct Internal;
  std::unique_ptr<Internal> internal_;
};

}  // namespace net::tls
