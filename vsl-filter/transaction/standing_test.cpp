#include "vsl-filter/transaction/standing.h"

#include <doctest/doctest.h>

#include "vsl-filter/transaction/context_json.h"

using namespace rules;

TEST_CASE("standing: counts as smtpd writes them; what is none is left out") {
  CHECK(counts_of("connections=1 messages=2 recipients=3 octets=4 errors=5 failed_log_ins=6 accepted=7") == Standing::Counts{1, 2, 3, 4, 5, 6, 7});
  CHECK(counts_of("") == Standing::Counts{});
  CHECK(counts_of("errors=5  unknown=9 errors octets=x accepted=99999999999999999999") == Standing::Counts{});
  CHECK(counts_of("errors=5") == Standing::Counts{0, 0, 0, 0, 5, 0, 0});
}

TEST_CASE("standing: it is read from the context, and stays in it") {
  const std::string json = R"({"connection":{"client_addr":"192.0.2.1:25","shield":{"reputation":"bad","client":{"errors":5},"network":{"accepted":-1,"octets":"x"},)"
                           R"("dnsbl_score":-3,"dnsbl_lists":["a.example",7],"early_talker":true,"stress":"yes"}}})";
  Session session;
  REQUIRE(from_context(session, json));
  Standing expected;
  expected.client[4] = 5;
  expected.reputation = "bad";
  expected.dnsbl_score = -3;
  expected.dnsbl_lists = {"a.example"};
  expected.is_early_talker = true;
  CHECK(session.connection.standing == expected);
  const auto again = to_context(session, {}, GivenContext::parse(json).value());
  Session other;
  REQUIRE(from_context(other, again));
  CHECK(other.connection.standing == expected);
  for (const char* odd : {R"({"connection":{"shield":7}})", R"({"connection":{"shield":[]}})", R"({"connection":{"shield":{"client":[1],"dnsbl_lists":{},"dnsbl_score":1.5}}})"}) {
    Session untouched;
    REQUIRE(from_context(untouched, odd));
    CHECK(untouched.connection.standing == Standing());
  }
}
