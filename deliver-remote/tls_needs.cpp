#include "deliver-remote/tls_needs.h"

#include <algorithm>

#include "lib/authn/mta_sts.h"
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

// What the level and the records of a host make of each other: RFC 7672 section 2.2.
void apply_dane(TlsNeeds& needs, const Candidate& to) {
  const bool must_be = needs.level == TlsLevel::DaneOnly;
  if (to.dane == nullptr) {
    if (must_be) needs.obstacle = "TLS level dane-only: DNSSEC vouches for no TLSA records of the host";
    needs.level = must_be ? TlsLevel::DaneOnly : TlsLevel::May;
  } else if (!to.dane->problem.empty()) {
    needs.obstacle = "DANE: " + to.dane->problem;
    needs.level = TlsLevel::DaneOnly;
  } else if (to.dane->records.empty()) {  // section 2.2: TLS must be, with whoever it is
    if (must_be) needs.obstacle = "TLS level dane-only: no TLSA record of the host can be used";
    needs.level = must_be ? TlsLevel::DaneOnly : TlsLevel::Encrypt;
    needs.reason = "DANE";
  } else {
    needs.level = TlsLevel::DaneOnly;
    needs.dane = to.dane;
  }
}

std::optional<std::string> dane_objection(const net::tls::Facts& facts, const TlsNeeds& needs, const net::dane::Match& match) {
  if (!match.usage) return "DANE: " + match.problem;
  if (*match.usage == net::dane::Usage::EndEntity) return std::nullopt;  // section 3.1.1: names do not matter
  if (facts.peer && net::tls::names_one_of(*facts.peer, needs.dane->names)) return std::nullopt;
  return "DANE: the certificate is for " + (facts.peer ? names_of(*facts.peer) : "nobody") + "; expected: " + list(needs.dane->names);
}

}  // namespace

std::string TlsNeeds::text() const { return std::string(name_of(level)) + (reason.empty() ? "" : " (" + reason + ")"); }

TlsNeeds tls_needs(const Profile& profile, const Target& target, const Candidate& to, std::span<const TlsDemand> demands) {
  if (!to.address.is_ip()) return {};
  TlsNeeds needs{profile.tls_level, profile.tls_names, profile.tls_fingerprints, {}, {}, {}, {}};
  if (asks_dane(needs.level)) apply_dane(needs, to);
  if (profile.tls_wrapper) needs.level = std::max(needs.level, TlsLevel::Encrypt);
  // A certificate that is known by its fingerprint is better than what any authority says.
  const bool is_pinned = needs.level == TlsLevel::Fingerprint;
  for (const auto& demand : demands) {
    if (is_pinned || (demand.is_met_by_policy && needs.dane)) continue;
    const bool has_name = std::ranges::any_of(demand.hosts, [&](const std::string& pattern) { return authn::sts::matches(pattern, to.name); });
    if (!demand.hosts.empty() && !has_name) needs.obstacle = demand.reason + ": the policy of " + target.name + " does not name this host";
    if (demand.level <= needs.level) continue;
    needs.level = demand.level;
    needs.dane.reset();
    if (!demand.hosts.empty()) needs.names = {to.name};
    needs.reason = demand.reason;
    if (!demand.names.empty()) needs.names = demand.names;
  }
  if (!is_pinned) needs.fingerprints.clear();
  if (!needs.asks_authorities()) needs.names.clear();
  if (needs.asks_authorities() && needs.names.empty()) needs.names = names_wanted(needs.level, target, to);
  return needs;
}

std::optional<std::string> objection_to(const net::tls::Facts& facts, const TlsNeeds& needs, const net::dane::Match& match) {
  if (needs.level <= TlsLevel::Encrypt) return std::nullopt;
  if (needs.dane) return dane_objection(facts, needs, match);
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
