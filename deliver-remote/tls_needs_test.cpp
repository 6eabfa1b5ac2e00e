#include "deliver-remote/tls_needs.h"

#include <doctest/doctest.h>

#include "deliver-remote/connection.h"
#include "deliver-remote/tls_service.h"

using namespace remote;
using Names = std::vector<std::string>;

namespace {

Profile profile_of(TlsLevel level) {
  Profile profile;
  profile.tls_level = level;
  return profile;
}

const Target kDomain = *Target::parse("example.org", 25);
const Target kHost = *Target::parse("[mail.example.net]", 25);
const Candidate kMx{"mx.example.net", *net::Address::from_ip("192.0.2.1", 25), false};

net::tls::Facts facts_of(const Names& names, bool is_verified = true) {
  net::tls::Facts facts;
  facts.peer = std::make_unique<net::tls::PeerCertificate>();
  facts.peer->names = names;
  facts.peer->is_verified = is_verified;
  facts.peer->problem = is_verified ? "" : "expired";
  facts.peer->fingerprint = "aa";
  facts.peer->key_fingerprint = "bb";
  return facts;
}

}  // namespace

TEST_CASE("TLS needs: the names that a level asks for") {
  CHECK(tls_needs(profile_of(TlsLevel::Encrypt), kDomain, kMx, {}).names.empty());
  CHECK(tls_needs(profile_of(TlsLevel::Verify), kDomain, kMx, {}).names == Names{"mx.example.net"});
  CHECK(tls_needs(profile_of(TlsLevel::Secure), kDomain, kMx, {}).names == Names{"example.org", ".example.org"});
  auto vouched_for = kMx;
  vouched_for.is_authentic = true;
  CHECK(tls_needs(profile_of(TlsLevel::Secure), kDomain, vouched_for, {}).names == Names{"example.org", ".example.org", "mx.example.net"});
  const Candidate host{"mail.example.net", kMx.address, true};
  CHECK(tls_needs(profile_of(TlsLevel::Secure), kHost, host, {}).names == Names{"mail.example.net"});
  const Candidate bare{"", kMx.address, true};
  CHECK(tls_needs(profile_of(TlsLevel::Verify), *Target::parse("192.0.2.1", 25), bare, {}).names == Names{"192.0.2.1"});
  auto named = profile_of(TlsLevel::Verify);
  named.tls_names = {"other.example"};
  CHECK(tls_needs(named, kDomain, kMx, {}).names == Names{"other.example"});
}

TEST_CASE("TLS needs: the strictest demand counts, and says who asks") {
  const std::vector<TlsDemand> demands{{TlsLevel::Encrypt, {}, "rule"}, {TlsLevel::Secure, {}, "REQUIRETLS"}, {TlsLevel::Verify, {}, "late"}};
  const auto needs = tls_needs(profile_of(TlsLevel::None), kDomain, kMx, demands);
  CHECK(needs.level == TlsLevel::Secure);
  CHECK(needs.text() == "secure (REQUIRETLS)");
  CHECK(needs.names == Names{"example.org", ".example.org"});
  const std::vector<TlsDemand> weaker{{TlsLevel::May, {}, "rule"}};
  CHECK(tls_needs(profile_of(TlsLevel::Encrypt), kDomain, kMx, weaker).text() == "encrypt");
  const std::vector<TlsDemand> of_policy{{TlsLevel::Verify, {"mx1.example.net"}, "MTA-STS"}};
  CHECK(tls_needs(profile_of(TlsLevel::May), kDomain, kMx, of_policy).names == Names{"mx1.example.net"});
  // A fingerprint is stricter than any authority.
  auto pinned = profile_of(TlsLevel::Fingerprint);
  pinned.tls_fingerprints = {"aa"};
  CHECK(tls_needs(pinned, kDomain, kMx, demands).level == TlsLevel::Fingerprint);
  auto wrapped = profile_of(TlsLevel::May);
  wrapped.tls_wrapper = true;
  CHECK(tls_needs(wrapped, kDomain, kMx, {}).level == TlsLevel::Encrypt);
  // A Unix socket is no network.
  const Candidate socket{"", *net::Address::parse("unix:/run/lmtp"), true};
  CHECK(tls_needs(profile_of(TlsLevel::Secure), kHost, socket, demands).level == TlsLevel::None);
}

TEST_CASE("TLS needs: what is wrong with a connection") {
  const auto verify = tls_needs(profile_of(TlsLevel::Verify), kDomain, kMx, {});
  CHECK_FALSE(objection_to(facts_of({"mx.example.net"}), verify));
  CHECK(objection_to(facts_of({"evil.example"}), verify) == "TLS level verify: the certificate is for evil.example; expected: mx.example.net");
  CHECK(objection_to(facts_of({"mx.example.net"}, false), verify) == "TLS level verify: the certificate is not trusted: expired");
  CHECK(objection_to({}, verify) == "TLS level verify: the host shows no certificate");
  CHECK_FALSE(objection_to({}, tls_needs(profile_of(TlsLevel::Encrypt), kDomain, kMx, {})));
  auto pinned = profile_of(TlsLevel::Fingerprint);
  for (const auto* known : {"aa", "bb"}) {
    pinned.tls_fingerprints = {"00", known};
    CHECK_FALSE(objection_to(facts_of({}, false), tls_needs(pinned, kDomain, kMx, {})));
  }
  pinned.tls_fingerprints = {"00"};
  CHECK(objection_to(facts_of({}, false), tls_needs(pinned, kDomain, kMx, {})) == "TLS level fingerprint: the certificate has the unknown fingerprint aa, its key bb");
}

namespace {

Candidate with_dane(DaneHost dane) {
  auto to = kMx;
  to.dane = std::make_shared<const DaneHost>(std::move(dane));
  return to;
}
const DaneHost kRecords{"mx.example.net", {"mx.example.net", "example.org"}, {{net::dane::Usage::EndEntity, net::dane::Selector::Key, net::dane::Matching::Sha256, "d"}}, ""};

}  // namespace

TEST_CASE("TLS needs: what DANE makes of the level") {
  struct Row {
    TlsLevel level;
    Candidate to;
    TlsLevel wanted;
    bool has_obstacle;
  };
  const DaneHost unusable{"mx.example.net", {"mx.example.net"}, {}, ""}, unknown{"mx.example.net", {}, {}, "TLSA x: SERVFAIL"};
  for (const auto& row : {Row{TlsLevel::Dane, kMx, TlsLevel::May, false}, Row{TlsLevel::Dane, with_dane(kRecords), TlsLevel::DaneOnly, false},
                          Row{TlsLevel::Dane, with_dane(unusable), TlsLevel::Encrypt, false}, Row{TlsLevel::Dane, with_dane(unknown), TlsLevel::DaneOnly, true},
                          Row{TlsLevel::DaneOnly, kMx, TlsLevel::DaneOnly, true}, Row{TlsLevel::DaneOnly, with_dane(kRecords), TlsLevel::DaneOnly, false},
                          Row{TlsLevel::DaneOnly, with_dane(unusable), TlsLevel::DaneOnly, true}, Row{TlsLevel::DaneOnly, with_dane(unknown), TlsLevel::DaneOnly, true}}) {
    const auto needs = tls_needs(profile_of(row.level), kDomain, row.to, {});
    CHECK(needs.level == row.wanted);
    CHECK(needs.obstacle.empty() == !row.has_obstacle);
    CHECK((needs.dane != nullptr) == (row.wanted == TlsLevel::DaneOnly && !row.has_obstacle));
  }
  CHECK(tls_needs(profile_of(TlsLevel::Dane), kDomain, with_dane(unusable), {}).text() == "encrypt (DANE)");
  // Records and REQUIRETLS ask for the same; a rule that forwards has asked for authorities.
  const std::vector<TlsDemand> requiretls{{TlsLevel::Secure, {}, "REQUIRETLS", true, {}}}, forward{{TlsLevel::Verify, {}, "forward"}};
  CHECK(tls_needs(profile_of(TlsLevel::Dane), kDomain, with_dane(kRecords), requiretls).dane != nullptr);
  CHECK(tls_needs(profile_of(TlsLevel::Dane), kDomain, with_dane(unusable), requiretls).text() == "secure (REQUIRETLS)");
  CHECK(tls_needs(profile_of(TlsLevel::Dane), kDomain, kMx, requiretls).text() == "secure (REQUIRETLS)");
  const auto forwarded = tls_needs(profile_of(TlsLevel::Dane), kDomain, with_dane(kRecords), forward);
  CHECK(forwarded.level == TlsLevel::Verify);
  CHECK(forwarded.dane == nullptr);
}

TEST_CASE("TLS needs: what is wrong with a connection under DANE") {
  using net::dane::Usage;
  const auto needs = tls_needs(profile_of(TlsLevel::Dane), kDomain, with_dane(kRecords), {});
  CHECK_FALSE(objection_to(facts_of({"evil.example"}, false), needs, {Usage::EndEntity, ""}));
  CHECK_FALSE(objection_to(facts_of({"mx.example.net"}, false), needs, {Usage::TrustAnchor, ""}));
  CHECK_FALSE(objection_to(facts_of({"example.org"}, false), needs, {Usage::TrustAnchor, ""}));
  CHECK(objection_to(facts_of({"evil.example"}), needs, {Usage::TrustAnchor, ""}) == "DANE: the certificate is for evil.example; expected: mx.example.net, example.org");
  CHECK(objection_to(facts_of({"mx.example.net"}), needs, {std::nullopt, "no TLSA record fits the certificate"}) == "DANE: no TLSA record fits the certificate");
}

TEST_CASE("TLS needs: what a policy of MTA-STS asks for") {
  const TlsDemand policy{TlsLevel::Verify, {}, "MTA-STS", true, {"*.example.net"}}, elsewhere{TlsLevel::Verify, {}, "MTA-STS", true, {"mx.example.com"}};
  auto own_names = profile_of(TlsLevel::May);
  own_names.tls_names = {"other.example"};
  const auto needs = tls_needs(own_names, kDomain, kMx, std::vector{policy});
  CHECK(needs.text() == "verify (MTA-STS)");
  CHECK(needs.names == Names{"mx.example.net"});
  CHECK(needs.obstacle.empty());
  CHECK(tls_needs(own_names, kDomain, kMx, std::vector{elsewhere}).obstacle == "MTA-STS: the policy of example.org does not name this host");
  // RFC 8461 section 2: DANE is not overridden.
  const auto both = tls_needs(profile_of(TlsLevel::Dane), kDomain, with_dane(kRecords), std::vector{elsewhere});
  CHECK(both.dane != nullptr);
  CHECK(both.obstacle.empty());
}

TEST_CASE("TLS needs: that TLS has failed is no reason to go in clear to who must be secured") {
  const auto is_in_clear = [](TlsNeeds needs) { return Approach{kMx, std::move(needs), nullptr, true}.is_in_clear(); };
  CHECK(is_in_clear(tls_needs(profile_of(TlsLevel::None), kDomain, kMx, {})));
  CHECK(is_in_clear(tls_needs(profile_of(TlsLevel::Dane), kDomain, kMx, {})));
  CHECK_FALSE(is_in_clear(tls_needs(profile_of(TlsLevel::Encrypt), kDomain, kMx, {})));
  CHECK_FALSE(is_in_clear(tls_needs(profile_of(TlsLevel::Dane), kDomain, with_dane(kRecords), {})));
}

TEST_CASE("TLS sessions: the one used longest ago makes way") {
  SessionCache cache(2);
  cache.keep("a", "1");
  cache.keep("b", "2");
  CHECK(cache.find("a") == "1");
  cache.keep("c", "3");
  CHECK(cache.find("b").empty());
  CHECK(cache.find("a") == "1");
  cache.keep("a", "4");
  CHECK(cache.find("a") == "4");
  cache.keep("a", "");  // nothing to keep is no reason to forget
  CHECK(cache.find("a") == "4");
  cache.forget("a");
  CHECK(cache.find("a").empty());
  SessionCache none(0);
  none.keep("a", "1");
  CHECK(none.find("a").empty());
}
