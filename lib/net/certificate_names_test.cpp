#include "lib/net/certificate_names.h"

#include <doctest/doctest.h>

#include <vector>

using net::tls::names_one_of;
using net::tls::PeerCertificate;
using net::tls::stands_for;

TEST_CASE("certificate names: equal without case, a wildcard for one label, nothing else (RFC 6125 section 6.4)") {
  struct Row {
    std::string_view presented, wanted;
    bool stands;
  };
  const Row rows[] = {
      {"mail.example.org", "mail.example.org", true},
      {"MAIL.example.ORG", "mail.Example.org.", true},
      {"mail.example.org", "example.org", false},
      {"example.org", "mail.example.org", false},
      {"*.example.org", "mail.example.org", true},
      {"*.example.org", "a.mail.example.org", false},
      {"*.example.org", "example.org", false},
      {"*.example.org", ".example.org", true},
      {"*.org", "example.org", false},
      {"*.org", ".example.org", false},
      {"*", "org", false},
      {"m*.example.org", "mail.example.org", false},
      {"*l.example.org", "mail.example.org", false},
      {"mail.*.org", "mail.example.org", false},
      {"*.*.org", "mail.example.org", false},
      {"*.xn--bcher-kva.example", "mx.xn--bcher-kva.example", true},
      {"xn--*.example.org", "xn--a.example.org", false},
      {"mail.example.org", ".example.org", true},
      {"a.mail.example.org", ".example.org", true},
      {"example.org", ".example.org", false},
      {"badexample.org", ".example.org", false},
      {"", "", false},
      {"", "example.org", false},
      {".example.org", "a.example.org", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.presented);
    CAPTURE(row.wanted);
    CHECK(stands_for(row.presented, row.wanted) == row.stands);
  }
  using namespace std::string_view_literals;
  CHECK_FALSE(stands_for("mail.example.org\0.evil.example"sv, "mail.example.org"));
}

TEST_CASE("certificate names: a common name counts only where there is no DNS name, and an address is one of the addresses") {
  PeerCertificate certificate;
  certificate.common_name = "mail.example.org";
  const std::vector<std::string> mail{"mail.example.org"}, other{"other.example.org", "mx.example.org"}, address{"192.0.2.1"};
  CHECK(names_one_of(certificate, mail));
  certificate.names = {"postmaster@example.org"};
  CHECK(names_one_of(certificate, mail));
  certificate.names = {"mx.example.org"};
  CHECK_FALSE(names_one_of(certificate, mail));
  CHECK(names_one_of(certificate, other));
  CHECK_FALSE(names_one_of(certificate, address));
  certificate.names = {"192.0.2.1"};
  CHECK_FALSE(names_one_of(certificate, address));
  certificate.addresses = {"192.0.2.1"};
  CHECK(names_one_of(certificate, address));
  CHECK_FALSE(names_one_of(certificate, {}));
}
