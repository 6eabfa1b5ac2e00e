// The cases of RFC 9989 in the test data: records, walks, discovery, alignment, authors.
#include "lib/authn/dmarc.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/authn/testing.h"
#include "lib/base/text.h"
#include "tests/testdata.h"

namespace dmarc = authn::dmarc;

namespace {

using Json = nlohmann::json;

Json cases_of(const std::string& name) {
  const auto file = testdata::find("dmarc/" + name);
  return file.empty() ? Json::array() : Json::parse(testdata::read(file)).at("cases");
}

authn::testing::Zone zone_of(const Json& test, const std::string& author) {
  authn::testing::Zone zone;
  const auto dns = test.value("dns", Json::object());
  for (const auto& [name, texts] : dns.items())
    for (const auto& text : texts) zone.add_text(name, text.get<std::string>());
  const auto split = test.value("dns_strings", Json::object());
  for (const auto& [name, records] : split.items())
    for (const auto& strings : records) zone.add(name, net::dns::Type::Txt, authn::testing::Zone::text_rdata(strings.get<std::vector<std::string>>()));
  for (const auto& name : test.value("dns_fail", Json::array())) zone.fail_others(name.get<std::string>());
  if (!author.empty() && test.value("from_exists", true)) zone.add_name(author);
  return zone;
}

bool allows(const Json& expected, std::string_view got) {
  for (const auto word : base::text::split(expected.is_null() ? std::string() : expected.get<std::string>(), '|'))
    if (word == got) return true;
  return false;
}

dmarc::Identifier identifier(const Json& pair) {
  using State = dmarc::Identifier::State;
  const auto result = pair.at(0).get<std::string>();
  return {.state = result == "pass" ? State::Pass : result == "temperror" ? State::Unknown : State::NoPass, .domain = pair.at(1).get<std::string>()};
}

std::vector<std::string> uris(const Json& list) {
  std::vector<std::string> found;
  for (const auto& each : list) found.push_back(each.at("uri").get<std::string>());
  return found;
}

}  // namespace

TEST_CASE("dmarc: records") {
  for (const auto& test : cases_of("records.json")) {
    CAPTURE(test.dump());
    const auto record = dmarc::parse(test.at("txt").get<std::string>());
    if (test.at("valid") == "either") continue;
    REQUIRE(record.has_value() == test.at("valid").get<bool>());
    if (!record) continue;
    CHECK(record->applies == test.value("applies", true));
    const auto check = [&](const char* tag, std::string_view got) {
      if (test.contains(tag)) CHECK_MESSAGE(allows(test.at(tag), got), tag, " is ", std::string(got));
    };
    check("p", dmarc::word(record->policy));
    check("sp", dmarc::word(record->subdomain_policy));
    check("np", dmarc::word(record->missing_policy));
    check("adkim", record->is_strict_dkim ? "s" : "r");
    check("aspf", record->is_strict_spf ? "s" : "r");
    check("t", record->is_testing ? "y" : "n");
    check("psd", record->suffix == dmarc::SuffixDomain::Yes ? "y" : record->suffix == dmarc::SuffixDomain::No ? "n" : "u");
    if (test.contains("rua")) CHECK(record->aggregate == uris(test.at("rua")));
    if (test.contains("ruf")) CHECK(record->failure == uris(test.at("ruf")));
    if (test.contains("fo")) {
      std::string options;
      for (const auto& each : test.at("fo")) options += (options.empty() ? "" : ":") + each.get<std::string>();
      CHECK(record->failure_options == options);
    }
  }
}

TEST_CASE("dmarc: the walk up the tree") {
  for (const auto& test : cases_of("tree-walk.json")) {
    CAPTURE(test.dump());
    const auto zone = zone_of(test, "");
    std::vector<std::string> queries;
    const authn::LookUp asked = [&](const std::string& name, net::dns::Type type) {
      queries.push_back(name);
      return zone.answer(name, type);
    };
    dmarc::TreeWalk walk(asked);
    const auto& way = walk.walk(test.at("start").get<std::string>());
    if (test.contains("queries")) CHECK(queries == test.at("queries").get<std::vector<std::string>>());
    CHECK(queries.size() <= 8);
    if (test.contains("found")) {
      std::vector<std::string> found;
      for (const auto& each : way.found) found.push_back(each.domain);
      CHECK(found == test.at("found").get<std::vector<std::string>>());
    }
    if (test.contains("org") && test.at("org").is_string()) CHECK(way.organisation.value_or("") == test.at("org").get<std::string>());
  }
}

TEST_CASE("dmarc: the policy that applies") {
  for (const auto& test : cases_of("discovery.json")) {
    CAPTURE(test.dump());
    const auto from = test.at("from").get<std::string>();
    const auto zone = zone_of(test, from);
    const auto outcome = dmarc::evaluate({.author_domain = from, .spf = {}, .dkim = {}}, zone.look_up());
    const auto result = test.value("result", "");
    if (result == "either") continue;
    if (result == "temperror" || result == "none") {
      CHECK(dmarc::word(outcome.result) == result);
      continue;
    }
    if (test.contains("policy") && test.at("policy").is_string()) CHECK(dmarc::word(outcome.published) == test.at("policy").get<std::string>());
    if (test.contains("at")) CHECK("_dmarc." + outcome.policy_domain == test.at("at").get<std::string>());
  }
}

TEST_CASE("dmarc: alignment, and what is wanted") {
  for (const auto& test : cases_of("evaluation.json")) {
    CAPTURE(test.dump());
    const auto from = test.at("header_from").get<std::string>();
    const auto zone = zone_of(test, from);
    dmarc::Question question{.author_domain = from, .spf = identifier(test.at("spf")), .dkim = {}};
    for (const auto& each : test.at("dkim")) question.dkim.push_back(identifier(each));
    const auto outcome = dmarc::evaluate(question, zone.look_up());
    CAPTURE(outcome.reason);
    CHECK_MESSAGE(allows(test.at("dmarc"), dmarc::word(outcome.result)), "got ", std::string(dmarc::word(outcome.result)));
    CHECK_MESSAGE(allows(test.at("disposition"), dmarc::word(outcome.policy)), "got ", std::string(dmarc::word(outcome.policy)));
    if (test.contains("report_reason")) CHECK(outcome.was_lowered() == (test.at("report_reason") == "policy_test_mode"));
  }
}

TEST_CASE("dmarc: the domains of the author") {
  for (const auto& test : cases_of("header-from.json")) {
    CAPTURE(test.dump());
    const auto octets = test.at("header").get<std::string>() + "\r\n";
    const auto domains = dmarc::author_domains(mail::Message::index(octets));
    if (test.contains("domain")) {
      REQUIRE(domains);
      CHECK(*domains == std::vector{test.at("domain").get<std::string>()});
    } else if (test.contains("domains")) {
      REQUIRE(domains);
      CHECK(*domains == test.at("domains").get<std::vector<std::string>>());
    } else {
      CHECK(!domains);
    }
  }
}
