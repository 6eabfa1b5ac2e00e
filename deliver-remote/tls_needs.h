// What a connection must be before mail goes over it, and whether it is. No I/O.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "deliver-remote/profile.h"
#include "deliver-remote/route.h"
#include "deliver-remote/target.h"
#include "lib/net/dane.h"

namespace remote {

// What somebody beside the configuration wants: the sender (REQUIRETLS), a rule that forwards, a policy of the destination (MTA-STS), its
// records in DNS (DANE).
struct TlsDemand {
  TlsLevel level = TlsLevel::None;
  std::vector<std::string> names;  // of which the certificate must have one; empty: those that the level asks for
  std::string reason;              // for texts: "REQUIRETLS"
  bool is_met_by_policy = false;   // a certificate that DNSSEC or MTA-STS vouches for will do as well
  std::vector<std::string> hosts = {};  // patterns of MTA-STS: no other host will do
};

struct TlsNeeds {
  TlsLevel level = TlsLevel::None;
  std::vector<std::string> names;         // Verify, Secure
  std::vector<std::string> fingerprints;  // Fingerprint
  std::string reason;                     // who asks for it; "" the configuration
  std::shared_ptr<const DaneHost> dane;   // DaneOnly: what the certificate must be
  std::string obstacle;                   // the host cannot be used now, whatever it shows

  std::shared_ptr<const TlsNeeds> trial;  // what would be needed of a domain that only tests its policy

  [[nodiscard]] bool must_be_secured() const { return level > TlsLevel::May; }
  [[nodiscard]] bool asks_authorities() const { return level >= TlsLevel::Verify || trial; }
  [[nodiscard]] std::string text() const;  // "verify", "secure (REQUIRETLS)"
};

// The strictest of all. What goes over a Unix socket goes over no network, and needs nothing.
[[nodiscard]] TlsNeeds tls_needs(const Profile& profile, const Target& target, const Candidate& to, std::span<const TlsDemand> demands);

// Why a connection under TLS is not what is needed; nullopt: it is. `match`: of the certificates with needs.dane, where there is that.
[[nodiscard]] std::optional<std::string> objection_to(const net::tls::Facts& facts, const TlsNeeds& needs, const net::dane::Match& match = {});

}  // namespace remote
