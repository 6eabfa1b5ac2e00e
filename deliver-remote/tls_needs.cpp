#include "deliver-remote/tls_needs.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/net/certificate_names.h"

namespace remote {
namespace {

std::string list(std::span<const std::string> names) {
  std::string line;
  for (const auto& name : names) line += (line.empty() ? "" : ", ") + base::text::printable(name, 80);
  return line;
}

// Under Verify the host that DNS names; under Secure only what nobody who forges DNS can choose: the destination and what lies below it,
// and the host if DNSSEC vouches for it.
std::vector<std::string> names_wanted(TlsLevel level, const Target& target, const Candidate& to) {
  const auto host = to.name.empty() ? to.address.ip() : to.name;
  if (level == TlsLevel::Verify || target.kind != Target::Kind::Domain) return {host};
  std::vector names{target.name, "." + target.name};
  if (to.is_authentic && host != target.name) names.push_back(host);
  return names;
}

std::string names_of(const net::tls::PeerCertificate& certificate) {
  auto names = certificate.names;
  names.insert(names.end(), certificate.addresses.begin(), certificate.addresses.end());
  constexpr std::size_t kMostShown = 5;
  if (names.empty()) names.push_back(certificate.common_name);
  if (names.size() > kMostShown) {
    names.resize(kMostShown);
    names.emplace_back("...");
  }
  return list(names);
}

}  // namespace

std::string TlsNeeds::text() const { return std::string(name_of(level)) + (reason.empty() ? "" : " (" + reason + ")"); }

TlsNeeds tls_needs(const Profile& profile, const Target& target, const Candidate& to, std::span<const TlsDemand> demands) {
  if (!to.address.is_ip()) return {};
  TlsNeeds needs{profile.tls_level, profile.tls_names, profile.tls_fingerprints, {}};
  if (profile.tls_wrapper) needs.level = std::max(needs.level, TlsLevel::Encrypt);
  // A certificate that is known by its fingerprint is better than what any authority says.
  const bool is_pinned = needs.level == TlsLevel::Fingerprint;
  for (const auto& demand : demands) {
    if (demand.level <= needs.level || is_pinned) continue;
    needs.level = demand.level;
    needs.reason = demand.reason;
    if (!demand.names.empty()) needs.names = demand.names;
  }
  if (!is_pinned) needs.fingerprints.clear();
  if (!needs.asks_authorities()) needs.names.clear();
  if (needs.asks_authorities() && needs.names.empty()) needs.names = names_wanted(needs.level, target, to);
  return needs;
}

std::optional<std::string> objection_to(const net::tls::Facts& facts, const TlsNeeds& needs) {
  if (needs.level <= TlsLevel::Encrypt) return std::nullopt;
  if (!facts.peer) return "TLS level " + needs.text() + ": the host shows no certificate";
  const auto& certificate = *facts.peer;
  if (needs.level == TlsLevel::Fingerprint) {
    const auto is_known = [&](const std::string& fingerprint) { return fingerprint == certificate.fingerprint || fingerprint == certificate.key_fingerprint; };
    if (std::ranges::any_of(needs.fingerprints, is_known)) return std::nullopt;
    return "TLS level fingerprint: the certificate has the unknown fingerprint " + certificate.fingerprint + ", its key " + certificate.key_fingerprint;
  }
  if (!certificate.is_verified) return "TLS level " + needs.text() + ": the certificate is not trusted: " + base::text::printable(certificate.problem);
  if (net::tls::names_one_of(certificate, needs.names)) return std::nullopt;
  return "TLS level " + needs.text() + ": the certificate is for " + names_of(certificate) + "; expected: " + list(needs.names);
}

}  // namespace remote
