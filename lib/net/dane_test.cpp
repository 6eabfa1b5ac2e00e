#include "lib/net/dane.h"

#include <doctest/doctest.h>

#include "lib/net/dane_test_files.h"
#include "lib/net/tls_test_files.h"
#include "lib/net/tls_internal.h"

using namespace net::dane;
using namespace std::string_literals;

namespace {

struct Shown {
  std::string der, key;  // the latter is its SubjectPublicKeyInfo
};

Shown shown(std::string_view pem) {
  net::tls::Certificates parsed;
  const std::string text(pem);
  REQUIRE(::mbedtls_x509_crt_parse(parsed.get(), reinterpret_cast<const unsigned char*>(text.c_str()), text.size() + 1) == 0);
  const auto octets = [](const mbedtls_x509_buf& buffer) { return std::string(reinterpret_cast<const char*>(buffer.p), buffer.len); };
  return {octets(parsed.get()->raw), octets(parsed.get()->pk_raw)};
}

std::string digest(Matching matching, const std::string& octets) {
  if (matching == Matching::Full) return octets;
  std::string out(matching == Matching::Sha256 ? 32 : 64, '\0');
  const auto kind = matching == Matching::Sha256 ? MBEDTLS_MD_SHA256 : MBEDTLS_MD_SHA512;
  ::mbedtls_md(::mbedtls_md_info_from_type(kind), reinterpret_cast<const unsigned char*>(octets.data()), octets.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

Record record_of(Usage usage, Selector selector, Matching matching, const Shown& of) { return {usage, selector, matching, digest(matching, selector == Selector::Key ? of.key : of.der)}; }

constexpr Usage kUsages[] = {Usage::TrustAnchor, Usage::EndEntity};
constexpr Selector kSelectors[] = {Selector::Certificate, Selector::Key};
constexpr Matching kMatchings[] = {Matching::Full, Matching::Sha256, Matching::Sha512};

}  // namespace

TEST_CASE("dane: which records can be used") {
  const auto sha256 = std::string(32, 'x'), sha512 = std::string(64, 'x');
  CHECK(parse("\3\1\1"s + sha256)->text() == "3 1 1 " + [] {
    std::string digits;
    for (int i = 0; i < 32; ++i) digits += "78";
    return digits;
  }());
  CHECK(parse("\2\0\2"s + sha512));
  CHECK(parse("\3\0\0"s + "any"));
  struct Row {
    std::string rdata;
    const char* why;
  };
  for (const auto& row : {Row{"\0\1\1"s + sha256, "PKIX-TA"}, Row{"\1\1\1"s + sha256, "PKIX-EE"}, Row{"\4\1\1"s + sha256, "usage 4"}, Row{"\3\2\1"s + sha256, "selector 2"},
                          Row{"\3\1\3"s + sha256, "matching type 3"}, Row{"\3\1\1"s + sha512, "digest too long"}, Row{"\3\1\2"s + sha256, "digest too short"}, Row{"\3\0\0"s, "no data"},
                          Row{"\3"s, "cut off"}, Row{"", "nothing"}, Row{"\xFF\1\1"s + sha256, "PrivCert"}}) {
    INFO(row.why);
    CHECK_FALSE(parse(row.rdata));
  }
}

TEST_CASE("dane: of digests the strongest count, for each usage and selector") {
  const auto rdata = [](int usage, int selector, int matching) {
    return std::string{static_cast<char>(usage), static_cast<char>(selector), static_cast<char>(matching)} + std::string(matching == 1 ? 32 : matching == 2 ? 64 : 100, 'd');
  };
  const auto kept = usable(std::vector{rdata(3, 1, 1), rdata(3, 1, 2), rdata(3, 0, 1), rdata(2, 1, 1), rdata(3, 1, 0), rdata(1, 1, 2), "bad"s});
  std::vector<std::string> texts;
  for (const auto& record : kept) texts.push_back(record.text().substr(0, 5));
  CHECK(texts == std::vector<std::string>{"3 1 2", "3 0 1", "2 1 1", "3 1 0"});
}

TEST_CASE("dane: a certificate or key fits by any selector and matching type") {
  const auto leaf = shown(test::kLeaf), authority = shown(test::kAuthority), other = shown(net::tls::test::kRsaCertificate);
  for (const auto usage : kUsages)
    for (const auto selector : kSelectors)
      for (const auto matching : kMatchings) {
        const auto& of = usage == Usage::EndEntity ? leaf : authority;
        const auto fitting = record_of(usage, selector, matching, of);
        INFO(fitting.text());
        CHECK(match(std::vector{leaf.der, authority.der}, std::vector{fitting}).usage == usage);
        // Beside a record of the key that was or will be: a set in the middle of a change.
        CHECK(match(std::vector{leaf.der, authority.der}, std::vector{record_of(usage, selector, matching, other), fitting}).usage == usage);
        CHECK(match(std::vector{leaf.der, authority.der}, std::vector{record_of(usage, selector, matching, other)}).usage == std::nullopt);
      }
}

TEST_CASE("dane: DANE-EE is about the server's own certificate, whatever its time") {
  const auto old = shown(test::kOldLeaf), authority = shown(test::kAuthority);
  const std::vector own{record_of(Usage::EndEntity, Selector::Key, Matching::Sha256, old)};
  CHECK(match(std::vector{old.der}, own).usage == Usage::EndEntity);
  const std::vector of_authority{record_of(Usage::EndEntity, Selector::Key, Matching::Sha256, authority)};
  CHECK(match(std::vector{old.der, authority.der}, of_authority).problem == "no TLSA record fits the certificate");
}

TEST_CASE("dane: DANE-TA wants a chain to the anchor, in its time") {
  const auto leaf = shown(test::kLeaf), old = shown(test::kOldLeaf), authority = shown(test::kAuthority), other = shown(net::tls::test::kEcCertificate);
  const std::vector anchor{record_of(Usage::TrustAnchor, Selector::Key, Matching::Sha256, authority)};
  CHECK(match(std::vector{leaf.der, authority.der}, anchor).usage == Usage::TrustAnchor);
  CHECK(match(std::vector{old.der, authority.der}, anchor).problem.contains("expired"));
  // The anchor is there, and has signed nothing of what is shown.
  CHECK(match(std::vector{other.der, authority.der}, anchor).problem.starts_with("the certificate does not lead to the trust anchor of TLSA: "));
  // It is not there: a digest is nothing to check a signature with, a certificate is.
  CHECK_FALSE(match(std::vector{leaf.der}, anchor).usage);
  CHECK(match(std::vector{leaf.der}, std::vector{record_of(Usage::TrustAnchor, Selector::Certificate, Matching::Full, authority)}).usage == Usage::TrustAnchor);
  CHECK(match(std::vector{leaf.der}, std::vector{Record{Usage::TrustAnchor, Selector::Certificate, Matching::Full, "x"}}).problem == "the trust anchor of TLSA is no certificate");
  // A certificate that has signed itself is its own anchor.
  CHECK(match(std::vector{other.der}, std::vector{record_of(Usage::TrustAnchor, Selector::Certificate, Matching::Sha256, other)}).usage == Usage::TrustAnchor);
}

TEST_CASE("dane: what is shown may be nothing, or no certificate") {
  const std::vector any{Record{Usage::EndEntity, Selector::Certificate, Matching::Full, "x"}};
  CHECK(match({}, any).problem == "the host shows no certificate");
  CHECK(match(std::vector{"x"s}, any).problem == "the certificate cannot be read");
  const auto leaf = shown(test::kLeaf);
  CHECK(match(std::vector{leaf.der}, {}).problem == "no TLSA record fits the certificate");
}
