// How the hosts of a destination are spoken to: the keys of [remote] about TLS and the log-in, which sections of single destinations may have too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/settings.h"
#include "lib/net/socket.h"
#include "lib/net/tls.h"
#include "lib/sasl/client.h"

namespace remote {

// In the words of Postfix, weakest first.
enum class TlsLevel : std::uint8_t {
  None,         // in clear
  May,          // TLS where it is offered, with whoever it is
  Dane,         // as DNS says of the host, if that can be believed: May where it says nothing, Encrypt, or DaneOnly (RFC 7672)
  Encrypt,      // only under TLS, with whoever it is
  DaneOnly,     // only under TLS, with who shows a certificate that TLSA records vouch for
  Fingerprint,  // only under TLS, with who has one of these certificates or keys
  Verify,       // only under TLS, with who can show that he is the host
  Secure,       // only under TLS, with who can show that he takes mail for the destination, whatever DNS says
};
[[nodiscard]] std::string_view name_of(TlsLevel level);
// Whether TLSA records are looked up.
[[nodiscard]] constexpr bool asks_dane(TlsLevel level) { return level == TlsLevel::Dane || level == TlsLevel::DaneOnly; }

struct Profile {
  TlsLevel tls_level = TlsLevel::May;
  bool tls_wrapper = false;  // TLS begins with the connection (RFC 8314 section 3)
  std::vector<std::string> tls_names, tls_fingerprints;
  net::tls::ClientOptions tls;

  std::vector<net::Address> sources;  // that connections come from, in turn; none: the system chooses

  std::string user, password_file;   // the log-in of the configuration
  std::optional<sasl::Login> login;  // of who has given it with the message
  std::vector<std::string> auth_mechanisms;
  bool auth_in_clear = false;

  std::uint64_t command_milliseconds = 0;  // that a command may take, as the call says; 0: as the settings do

  // The same for profiles whose connections can stand in for each other. Has no secret in it.
  std::string identity;

  void set_identity();
  void forget_login();
  // The password is read anew: it may have changed. Who can read more than the owner of its file should not is an error.
  [[nodiscard]] base::Result<std::optional<sasl::Login>> read_login() const;
};

// Of `section`, "remote" or a named one, which has the keys of [remote] where it does not say otherwise. Fault::Config names the setting.
[[nodiscard]] base::Result<Profile> read_profile(const base::Settings& settings, std::string_view section = "remote");

}  // namespace remote
