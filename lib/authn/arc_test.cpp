// The suite of ValiMail, and chains of ours.
#include "lib/authn/arc.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lib/authn/testing.h"
#include "tests/testdata.h"

namespace arc = authn::arc;

TEST_CASE("arc: chains of the suite") {
  const auto file = testdata::find("arc/json/validation.json");
  if (file.empty()) return;
  std::size_t cases = 0;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  for (const auto& scenario : suite.at("scenarios")) {
    authn::testing::Zone zone;
    for (const auto& [name, records] : scenario.at("dns").items())
      for (const auto& record : records) zone.add_text(name, record.get<std::string>());
    for (const auto& test : scenario.at("tests")) {
      ++cases;
      CAPTURE(scenario.value("description", ""));
      CAPTURE(test.at("id").get<std::string>());
      CAPTURE(test.value("description", ""));
      const auto octets = test.at("message").get<std::string>();
      const auto message = mail::Message::index(octets);
      const auto outcome = arc::verify(message, zone.look_up());
      CAPTURE(outcome.reason);
      CHECK(arc::word(outcome.result) == test.at("cv").get<std::string>());
    }
  }
  CHECK(cases == 171);
}

TEST_CASE("arc: chains that we seal hold, up to the fiftieth and not beyond") {
  const auto key = authn::PrivateKey::generate(authn::KeyType::Ed25519, 0).value();
  authn::testing::Zone zone;
  zone.add_text("s._domainkey.example.org", authn::dkim::key_record(key).value());
  std::string octets = "From: me@example.org\r\nTo: list@example.net\r\nSubject: x\r\n\r\nHello\r\n";
  for (unsigned i = 1; i <= 51; ++i) {
    const auto message = mail::Message::index(octets);
    const auto chain = arc::verify(message, zone.look_up());
    CAPTURE(chain.reason);
    REQUIRE(chain.result == (i == 1 ? arc::Result::None : arc::Result::Pass));
    CHECK(chain.instances == i - 1);
    const auto fields = arc::seal(message, chain, key, {.domain = "example.org", .selector = "s", .authentication_results = "example.org; spf=pass smtp.mailfrom=example.org"});
    REQUIRE(fields);
    REQUIRE(fields->has_value() == (i <= 50));
    if (*fields) octets.insert(0, **fields);
  }
  const auto whole = arc::verify(mail::Message::index(octets), zone.look_up());
  CHECK(whole.oldest_pass == 0);
  CHECK(whole.sets.at(49).authentication_results == "example.org; spf=pass smtp.mailfrom=example.org");
  // One more by somebody who does not count.
  auto beyond = octets;
  beyond.insert(0, "ARC-Seal: i=51; a=rsa-sha256; cv=pass; d=example.org; s=s; b=AAAA\r\n");
  CHECK(arc::verify(mail::Message::index(beyond), zone.look_up()).result == arc::Result::Fail);
  // The text is another now: the last signature does not hold.
  auto changed = octets;
  changed.replace(changed.find("Hello"), 5, "Adieu");
  CHECK(arc::verify(mail::Message::index(changed), zone.look_up()).result == arc::Result::Fail);
}

TEST_CASE("arc: who changes a message and seals it stays to be seen") {
  const auto key = authn::PrivateKey::generate(authn::KeyType::Ed25519, 0).value();
  authn::testing::Zone zone;
  zone.add_text("s._domainkey.example.org", authn::dkim::key_record(key).value());
  std::string octets = "From: me@example.org\r\nSubject: x\r\n\r\nHello\r\n";
  const arc::SealOptions options{.domain = "example.org", .selector = "s", .authentication_results = "example.org; none"};
  const auto seal = [&] {
    const auto message = mail::Message::index(octets);
    const auto fields = arc::seal(message, arc::verify(message, zone.look_up()), key, options).value();
    if (fields) octets.insert(0, *fields);
    return fields.has_value();
  };
  CHECK(seal());
  const auto chain_before = arc::verify(mail::Message::index(octets), zone.look_up());
  octets.insert(octets.find("\r\n\r\nHello"), " [list]");
  const auto message = mail::Message::index(octets);
  // A list checks, changes, and seals what it had found before.
  octets.insert(0, arc::seal(message, chain_before, key, options).value().value());
  const auto outcome = arc::verify(mail::Message::index(octets), zone.look_up());
  CHECK(outcome.result == arc::Result::Pass);
  CHECK(outcome.oldest_pass == 2);
  // One who changes it and does not seal breaks it; that is sealed once, and left from then on.
  octets.insert(octets.find("\r\n\r\nHello"), "!");
  CHECK(seal());
  CHECK(octets.find("cv=fail") != std::string::npos);
  CHECK(arc::verify(mail::Message::index(octets), zone.look_up()).result == arc::Result::Fail);
  CHECK(!seal());
}
