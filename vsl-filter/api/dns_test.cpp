// DNS look-ups of rules (vsl.md 3.8), with a resolver of which only "localhost" is known: libunbound has that built in (RFC 6761).
// tests/rules-dns.bats asks a real server, with tests/tools/ask-rules.
#include <doctest/doctest.h>

#include <string>

#include "vsl-filter/testing.h"

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
