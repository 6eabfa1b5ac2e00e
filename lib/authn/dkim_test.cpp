// The cases of the test data, what we sign ourselves, and floods.
#include "lib/authn/dkim.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/authn/testing.h"
#include "lib/base/base64.h"
#include "lib/mail/line_ends.h"
#include "tests/testdata.h"

namespace dkim = authn::dkim;
using dkim::Result;

namespace {

std::string with_crlf(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

void run_suite(const std::string& folder) {
  const auto file = testdata::find(folder + "/cases.json");
  if (file.empty()) return;
  for (const auto& test : nlohmann::json::parse(testdata::read(file))) {
    CAPTURE(test.at("id").get<std::string>());
    CAPTURE(test.value("why", ""));
    auto octets = testdata::read(file.parent_path() / test.at("file").get<std::string>());
    if (test.value("eol", "") == "lf") octets = with_crlf(octets);
    authn::testing::Zone zone;
    for (const auto& [name, texts] : test.at("dns").items()) {
      zone.add_name(name);
      for (const auto& text : texts) zone.add_text(name, text.get<std::string>());
    }
    for (const auto& name : test.value("dns_tempfail", nlohmann::json::array())) zone.fail_others(name.get<std::string>());
    const auto message = mail::Message::index(octets);
    dkim::VerifyOptions options;
    options.now = test.at("now").get<std::uint64_t>();
    const auto verdicts = dkim::verify(message, zone.look_up(), options);
    const auto best = dkim::best(verdicts);
    for (const auto& verdict : verdicts) CAPTURE(verdict.reason);
    const auto words = test.at("rfc8601").get<std::vector<std::string>>();
    CHECK_MESSAGE(std::ranges::find(words, dkim::word(best)) != words.end(), "got ", std::string(dkim::word(best)), ": ", verdicts.empty() ? "" : verdicts.front().reason);
  }
}

constexpr std::string_view kMessage = "From: Me <me@example.org>\r\nTo: you@example.net\r\nSubject: Dinner\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\nHello,\r\n\r\nat  eight.\r\n";

authn::testing::Zone zone_with(const authn::PrivateKey& key) {
  authn::testing::Zone zone;
  zone.add_text("sel._domainkey.example.org", dkim::key_record(key).value());
  return zone;
}

std::string signed_message(std::string_view message, const authn::PrivateKey& key, dkim::SignOptions options = {}) {
  options.domain = "example.org";
  options.selector = "sel";
  return "DKIM-Signature:" + dkim::sign(mail::Message::index(message), key, options).value() + "\r\n" + std::string(message);
}

dkim::Verdict verdict_of(std::string_view message, const authn::testing::Zone& zone, const dkim::VerifyOptions& options = {}) {
  const auto verdicts = dkim::verify(mail::Message::index(message), zone.look_up(), options);
  REQUIRE(!verdicts.empty());
  return verdicts.front();
}

const authn::PrivateKey& rsa_key() {
  static const auto key = authn::PrivateKey::generate(authn::KeyType::Rsa, 1024).value();
  return key;
}
const authn::PrivateKey& ed25519_key() {
  static const auto key = authn::PrivateKey::generate(authn::KeyType::Ed25519, 0).value();
  return key;
}

}  // namespace

TEST_CASE("dkim: the cases of dkimpy and dkim_verifier") { run_suite("dkim"); }
TEST_CASE("dkim: the cases made for this project") { run_suite("dkim/generated"); }

TEST_CASE("dkim: what is signed verifies, in each form, by both kinds of keys") {
  using authn::Canonicalization;
  for (const auto* key : {&rsa_key(), &ed25519_key()})
    for (const auto header : {Canonicalization::Simple, Canonicalization::Relaxed})
      for (const auto body : {Canonicalization::Simple, Canonicalization::Relaxed}) {
        const auto message = signed_message(kMessage, *key, {.header_form = header, .body_form = body, .lifetime_seconds = 3600});
        const auto verdict = verdict_of(message, zone_with(*key));
        CAPTURE(message);
        CHECK(verdict.reason == "");
        CHECK(verdict.result == Result::Pass);
        for (const auto line : base::text::split(message.substr(0, message.find("From:")), '\n')) CHECK(line.size() <= 79);
        // Its b= is cut by no other rule when the line ends change.
        std::string with_lf = message;
        std::erase(with_lf, '\r');
        CHECK(verdict_of(with_lf, zone_with(*key)).result == Result::Pass);
      }
}

TEST_CASE("dkim: nothing can be added that readers see, unless the rules ask for less") {
  const auto message = signed_message(kMessage, ed25519_key());
  for (const auto* added : {"From: them@example.com\r\n", "Subject: Else\r\n", "Content-Type: text/html\r\n"}) {
    CHECK(verdict_of(message.substr(0, message.find("From: Me")) + added + std::string(kMessage), zone_with(ed25519_key())).result == Result::Fail);
  }
  dkim::SignOptions few;
  few.headers = {"From"};
  const auto loose = signed_message(kMessage, ed25519_key(), few);
  CHECK(verdict_of(loose.substr(0, loose.find("From: Me")) + "Subject: Else\r\n" + std::string(kMessage), zone_with(ed25519_key())).result == Result::Pass);
}

TEST_CASE("dkim: a message without From is not signed") {
  const auto nothing = dkim::sign(mail::Message::index("To: you@example.net\r\n\r\nHello\r\n"), ed25519_key(), {.domain = "example.org", .selector = "sel"});
  REQUIRE(!nothing);
  CHECK(nothing.error().fault == base::Fault::Permanent);
}

TEST_CASE("dkim: appended text is no pass, unless one asks for it") {
  const auto suite = testdata::find("dkim/generated/cases.json");
  if (suite.empty()) return;
  for (const auto& test : nlohmann::json::parse(testdata::read(suite))) {
    if (test.at("id") != "e-l-appended") continue;
    const auto octets = testdata::read(suite.parent_path() / test.at("file").get<std::string>());
    authn::testing::Zone zone;
    for (const auto& [name, texts] : test.at("dns").items())
      for (const auto& text : texts) zone.add_text(name, text.get<std::string>());
    dkim::VerifyOptions options{.now = test.at("now").get<std::uint64_t>()};
    const auto verdict = verdict_of(octets, zone, options);
    CHECK(verdict.result == Result::Policy);
    CHECK(verdict.unsigned_octets > 0);
    options.may_leave_body_unsigned = true;
    CHECK(verdict_of(octets, zone, options).result == Result::Pass);
  }
}

TEST_CASE("dkim: a flood of signatures costs as many look-ups as the limit says") {
  std::string flood;
  const auto one = signed_message("From: a@example.org\r\n\r\n", ed25519_key());
  const auto field = one.substr(0, one.find("\r\nFrom:") + 2);
  for (int i = 0; i < 1000; ++i) flood += field;
  flood += "From: a@example.org\r\n\r\n";
  const auto zone = zone_with(ed25519_key());
  std::size_t asked = 0;
  const authn::LookUp counting = [&](const std::string& name, net::dns::Type type) {
    ++asked;
    return zone.answer(name, type);
  };
  const auto verdicts = dkim::verify(mail::Message::index(flood), counting, {.signatures = 5});
  CHECK(verdicts.size() == 5);
  CHECK(asked == 5);
  CHECK(dkim::best(verdicts) == Result::Pass);
}

TEST_CASE("dkim: keys that are too small or too large are not believed, and the sizes at the edge are") {
  const auto message = signed_message(kMessage, rsa_key());
  const auto zone = zone_with(rsa_key());
  CHECK(verdict_of(message, zone, {.rsa_bits_min = 1024}).result == Result::Pass);
  CHECK(verdict_of(message, zone, {.rsa_bits_min = 1025}).result == Result::Policy);
  CHECK(verdict_of(message, zone, {.rsa_bits_max = 1024}).result == Result::Pass);
  CHECK(verdict_of(message, zone, {.rsa_bits_max = 1023}).result == Result::Policy);
}

TEST_CASE("dkim: expiry, at its edge") {
  dkim::SignOptions options{.now = 1000, .lifetime_seconds = 50};
  const auto message = signed_message(kMessage, ed25519_key(), options);
  const auto zone = zone_with(ed25519_key());
  CHECK(verdict_of(message, zone, {.expiry_tolerance_seconds = 0, .now = 1050}).result == Result::Pass);
  CHECK(verdict_of(message, zone, {.expiry_tolerance_seconds = 0, .now = 1051}).result == Result::Fail);
  CHECK(verdict_of(message, zone, {.expiry_tolerance_seconds = 100, .now = 1150}).result == Result::Pass);
}

TEST_CASE("dkim: tags without end, and a megabyte in one") {
  authn::testing::Zone zone;
  std::string many = "DKIM-Signature: v=1";
  for (int i = 0; i < 5000; ++i) many += "; x" + std::to_string(i) + "=1";
  CHECK(verdict_of(many + "\r\nFrom: a@b.example\r\n\r\n", zone).result == Result::PermError);
  CHECK(verdict_of("DKIM-Signature: v=1; a=rsa-sha256; b=" + std::string(1 << 20, 'A') + "\r\nFrom: a@b.example\r\n\r\n", zone).result == Result::PermError);
}

TEST_CASE("dkim: keys are written and read back") {
  for (const auto* key : {&rsa_key(), &ed25519_key()}) {
    const auto again = authn::PrivateKey::parse(key->to_pem().value(), "key").value();
    CHECK(again.public_octets().value() == key->public_octets().value());
    CHECK(again.type() == key->type());
  }
  CHECK(!authn::PrivateKey::parse("nonsense", "key"));
  CHECK(authn::PrivateKey::parse("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "seed").value().public_octets().value() ==
        base::from_base64("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").value());
}
