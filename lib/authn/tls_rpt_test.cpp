#include "lib/authn/tls_rpt.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace authn::tlsrpt;
using Texts = std::vector<std::string>;

TEST_CASE("tls-rpt: where reports go") {
  CHECK(find_rua(Texts{"v=TLSRPTv1;rua=mailto:reports@example.com"}) == Texts{"mailto:reports@example.com"});
  CHECK(find_rua(Texts{"v=spf1 -all", "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt, MAILTO:a@b.example ;"}) == Texts{"https://reporting.example.com/v1/tlsrpt", "MAILTO:a@b.example"});
  for (const auto* bad : {"", "v=TLSRPTv1", "v=TLSRPTv2; rua=mailto:a@b", "v=TLSRPTv1;", "v=TLSRPTv1; rua=", "v=TLSRPTv1; rua=http://a.example", "v=TLSRPTv1; rua=ftp:x"}) CHECK(find_rua(Texts{bad}).empty());
  CHECK(find_rua(Texts{"v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:a@b.example"}).empty());
  CHECK(mailbox_of("mailto:tls%2Brpt@example.org?subject=x") == "tls+rpt@example.org");
  for (const auto* bad : {"https://a", "mailto:", "mailto:a", "mailto:@b", "mailto:a@", "mailto:a%0d%0ab@c", "mailto:a@b,c@d", "mailto:a%4", "mailto:<a@b>"}) CHECK_FALSE(mailbox_of(bad));
}

TEST_CASE("tls-rpt: a line of the journal") {
  const Session session{"example.org", "sts", {"version: STSv1"}, {"*.example.org"}, "mx.example.org", "192.0.2.1", "192.0.2.2", "certificate-expired", "it is \"old\""};
  CHECK(parse_session(format(session)) == session);
  CHECK_FALSE(parse_session("{}"));
  CHECK_FALSE(parse_session("{\"domain\":\"a\"}"));
  CHECK_FALSE(parse_session("{\"domain\":\"example.o"));
  CHECK(parse_session("{\"domain\":\"a\",\"policy\":\"tlsa\",\"strings\":[1,\"x\"],\"ip\":7}")->strings == Texts{"x"});
}

TEST_CASE("tls-rpt: what a day becomes") {
  Tally tally;
  Session session{"example.org", "tlsa", {"3 1 1 aa"}, {}, "mx.example.org", "192.0.2.1", "192.0.2.2", "", ""};
  tally.add(session);
  tally.add(session);
  session.failure = "validation-failure";
  session.reason = "no TLSA record fits";
  for (int i = 0; i < 3; ++i) tally.add(session);
  session.policy = "no-policy-found";
  session.strings.clear();
  session.failure = "starttls-not-supported";
  tally.add(session);
  CHECK(tally.sessions() == 6);
  const auto report = nlohmann::json::parse(tally.report({"Example Inc.", "postmaster@me.example", "id-1", "2026-11-22T00:00:00Z", "2026-11-22T23:59:59Z"}));
  CHECK(report["organization-name"] == "Example Inc.");
  CHECK(report["date-range"]["end-datetime"] == "2026-11-22T23:59:59Z");
  REQUIRE(report["policies"].size() == 2);
  const auto& tlsa = report["policies"][1];
  CHECK(tlsa["policy"]["policy-type"] == "tlsa");
  CHECK(tlsa["policy"]["policy-string"][0] == "3 1 1 aa");
  CHECK(tlsa["summary"]["total-successful-session-count"] == 2);
  CHECK(tlsa["summary"]["total-failure-session-count"] == 3);
  REQUIRE(tlsa["failure-details"].size() == 1);
  CHECK(tlsa["failure-details"][0]["failed-session-count"] == 3);
  CHECK(tlsa["failure-details"][0]["receiving-mx-hostname"] == "mx.example.org");
  CHECK(report["policies"][0]["failure-details"][0]["result-type"] == "starttls-not-supported");
}

TEST_CASE("tls-rpt: the kinds of failures of a report are bounded") {
  Tally tally;
  Session session{"example.org", "tlsa", {}, {}, "mx", "", "", "validation-failure", ""};
  for (std::size_t i = 0; i < Tally::kMostFailures + 50; ++i) {
    session.reason = std::to_string(i);
    tally.add(session);
  }
  const auto report = nlohmann::json::parse(tally.report({}));
  CHECK(report["policies"][0]["failure-details"].size() == Tally::kMostFailures);
  CHECK(report["policies"][0]["summary"]["total-failure-session-count"] == Tally::kMostFailures + 50);
}
