// The suites of RFC 7208 and RFC 4408, and what they leave open.
#include "lib/authn/spf.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lib/authn/testing.h"
#include "tests/testdata.h"

using authn::spf::Outcome;
using authn::spf::Query;
using authn::spf::Result;

namespace {

void run_suite(const std::string& name) {
  const auto file = testdata::find("spf/json/" + name);
  if (file.empty()) return;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  std::size_t cases = 0;
  for (const auto& scenario : suite.at("scenarios")) {
    const auto zone = authn::testing::zone_of_suite(scenario.at("zone"));
    for (const auto& test : scenario.at("tests")) {
      ++cases;
      CAPTURE(scenario.value("description", ""));
      CAPTURE(test.dump());
      Query query;
      query.client = net::Address::from_ip(test.at("host").get<std::string>(), 0).value();
      query.helo = test.value("helo", "");
      query.sender = test.value("mailfrom", "");
      query.receiver = "receiver.example";
      const Outcome outcome = authn::spf::check(query, zone.look_up());
      CAPTURE(outcome.problem);
      const auto results = test.at("results").get<std::vector<std::string>>();
      const std::string word(authn::spf::word(outcome.result));
      CHECK_MESSAGE(std::ranges::find(results, word) != results.end(), "got ", word);
      if (const auto explanation = test.find("explanation"); explanation != test.end() && explanation->is_string()) {
        const auto expected = explanation->get<std::string>();
        // Names compare without case, and so do the nibbles of an address.
        CHECK(base::text::to_lower(outcome.explanation) == (expected == "DEFAULT" ? "" : base::text::to_lower(expected)));
      }
    }
  }
  CHECK(cases > 190);
}

}  // namespace

TEST_CASE("spf: the suite of RFC 7208") { run_suite("rfc7208-tests.json"); }
TEST_CASE("spf: the suite of RFC 4408") { run_suite("rfc4408-tests.json"); }

namespace {

Outcome check_sender(const authn::testing::Zone& zone, std::string sender, const authn::spf::Limits& limits = {}, std::string client = "192.0.2.1") {
  const Query query{.client = net::Address::from_ip(client, 0).value(), .identity = authn::spf::Identity::MailFrom, .sender = std::move(sender), .helo = "mail.example.net", .receiver = "us.example"};
  return authn::spf::check(query, zone.look_up(), limits);
}

}  // namespace

TEST_CASE("spf: what matched is told") {
  authn::testing::Zone zone;
  zone.add_text("example.org", "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/28 -all");
  zone.add_text("open.example", "v=spf1");
  const auto pass = check_sender(zone, "me@example.org");
  CHECK(pass.result == Result::Pass);
  CHECK(pass.mechanism == "ip4:192.0.2.0/28");
  CHECK(check_sender(zone, "me@example.org", {}, "192.0.2.16").result == Result::Fail);
  CHECK(check_sender(zone, "me@example.org", {}, "192.0.2.16").mechanism == "-all");
  CHECK(check_sender(zone, "me@open.example").mechanism == "default");
  CHECK(check_sender(zone, "me@nobody.example").problem == "nobody.example has no SPF record");
}

TEST_CASE("spf: records that never end cost no more than the limit of terms") {
  authn::testing::Zone zone;
  zone.add_text("loop.example", "v=spf1 include:loop.example");
  zone.add_text("round.example", "v=spf1 redirect=round.example");
  zone.add_text("grows.example", "v=spf1 redirect=%{d}.%{d}");
  CHECK(check_sender(zone, "me@loop.example").result == Result::PermError);
  CHECK(check_sender(zone, "me@round.example").result == Result::PermError);
  CHECK(check_sender(zone, "me@grows.example").result == Result::PermError);
}

TEST_CASE("spf: each limit at its edge") {
  authn::testing::Zone zone;
  zone.add_text("terms.example", "v=spf1 a:1.x.example a:2.x.example ~all");
  zone.add_text("void.example", "v=spf1 a:no.example a:none.example ~all");
  zone.add_text("mx.example", "v=spf1 mx ~all");
  for (const auto* name : {"1.x.example", "2.x.example"}) zone.add_address(name, "198.51.100.1");
  for (const auto* name : {"1.x.example", "2.x.example"}) zone.add_exchanger("mx.example", 10, name);
  CHECK(check_sender(zone, "me@terms.example", {.terms = 2}).result == Result::SoftFail);
  CHECK(check_sender(zone, "me@terms.example", {.terms = 1}).result == Result::PermError);
  CHECK(check_sender(zone, "me@void.example", {.void_look_ups = 2}).result == Result::SoftFail);
  CHECK(check_sender(zone, "me@void.example", {.void_look_ups = 1}).result == Result::PermError);
  CHECK(check_sender(zone, "me@mx.example", {.names = 2}).result == Result::SoftFail);
  CHECK(check_sender(zone, "me@mx.example", {.names = 1}).result == Result::PermError);
  CHECK(check_sender(zone, "me@mx.example", {.milliseconds = 0}).result == Result::TempError);
}

TEST_CASE("spf: the field") {
  const Query query{.client = net::Address::from_ip("2001:db8::1", 0).value(), .identity = authn::spf::Identity::MailFrom, .sender = "a\"b@example.org", .helo = "h.example", .receiver = "us.example"};
  Outcome outcome;
  outcome.result = Result::Fail;
  outcome.mechanism = "-all";
  CHECK(authn::spf::received_spf(query, outcome) ==
        "fail receiver=us.example; client-ip=\"2001:db8::1\"; envelope-from=\"a\\\"b@example.org\"; helo=h.example; identity=mailfrom; mechanism=-all");
}
