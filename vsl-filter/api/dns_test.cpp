// DNS look-ups of rules (vsl.md 3.8), with a resolver of which only "localhost" is known: libunbound has that built in (RFC 6761).
// tests/rules-dns.bats asks a real server, with tests/tools/ask-rules.
#include <doctest/doctest.h>

#include <string>

#include "vsl-filter/stages/testing.h"

using namespace rules;

TEST_CASE("dns: look-ups in rules") {
  struct Row {
    std::string question;
    std::string expected;
  };
  Session session = rules::testing::session(Stage::Rcpt);
  const Site site = rules::testing::site(nullptr, {{"dns.server", "127.0.0.1@1"}, {"dns.timeout", "5s"}});
  for (const Row& row : {
           Row{"lookup(\"localhost\")", "[\"127.0.0.1\", \"::1\"]"},
           {"dns::lookup(\"localhost.\")", "[\"127.0.0.1\", \"::1\"]"},
           {"lookup(\"192.0.2.1\")", "[\"192.0.2.1\"]"},
           {"rlookup(\"127.0.0.1\")", "[\"localhost\"]"},
           {"dns::ptr_valid(\"127.0.0.1\")", "true"},
           {"dns::ptr_valid(\"::1\")", "true"},
           {"dns::txt(\"localhost\")", "[]"},
           {"dns::mx(\"localhost\")", "[]"},
           {"lookup(\"localhost\", \"a\")", "[\"127.0.0.1\"]"},
           {"lookup(\"localhost\", \"AAAA\")", "[\"::1\"]"},
           {"dns::lookup(\"127.0.0.1\", \"ptr\")", "[\"localhost\"]"},
           {"srv().lookup(\"localhost\", \"A\")", "[\"127.0.0.1\"]"},
           {"caught(|| lookup(\"localhost\", \"MX\"))", "DNS: no MX records: 'localhost'"},
           {"caught(|| lookup(\"localhost\", \"SRV\"))", "'SRV' is no type of DNS records that can be looked up; there are: A, AAAA, MX, PTR, TXT"},
           {"caught(|| lookup(\"host.invalid\"))", "DNS: no such name: 'host.invalid'"},
           {"caught(|| lookup(\"\"))", "invalid type conversion expected: `domain name`, but got: `''`"},
           {"caught(|| rlookup(\"no address\"))", "invalid type conversion expected: `ip address`, but got: `'no address'`"},
       }) {
    CAPTURE(row.question);
    CHECK(rules::testing::ask(Stage::Rcpt, "fn caught(f) { let told = \"nothing\"; try { told = `${f.call()}`; } catch (e) { told = e; } told }", row.question,
                              session, site) == row.expected);
  }
  CHECK(rules::testing::ask(Stage::Rcpt, "", "dns::txt(\"client.example\")", session, site).find("DNS: TXT client.example: ") != std::string::npos);
}

TEST_CASE("dns: a resolver of a script's own") {
  Session session = rules::testing::session(Stage::Rcpt);
  const Site site = rules::testing::site(nullptr, {{"dns.server", "127.0.0.1@1"}, {"dns.timeout", "5s"}});
  const std::string declared = "const own = dns::resolver(#{servers: [\"127.0.0.1@1\"], timeout: \"2s\"});";
  struct Row {
    std::string question;
    std::string expected;
  };
  for (const Row& row : {
           Row{"global::own.lookup(\"localhost\")", "[\"127.0.0.1\", \"::1\"]"},
           {"global::own.lookup(\"localhost\", \"A\")", "[\"127.0.0.1\"]"},
           {"global::own.rlookup(\"127.0.0.1\")", "[\"localhost\"]"},
           {"global::own.ptr_valid(\"127.0.0.1\") && global::own.txt(\"localhost\") == [] && global::own.mx(\"localhost\") == []", "true"},
           {"dns::resolver().lookup(\"localhost\", \"AAAA\")", "[\"::1\"]"},
           {"type_of(global::own)", "resolver"},
       }) {
    CAPTURE(row.question);
    CHECK(rules::testing::ask(Stage::Rcpt, declared, row.question, session, site) == row.expected);
  }
  CHECK(rules::testing::ask(Stage::Rcpt, "const own = dns::resolver(#{sevrers: []});", "true", session, site).find("sevrers") != std::string::npos);
}
