// srs:: and verp::.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lib/queue/testing.h"
#include "vsl-filter/stages/testing.h"
#include "vsl-filter/transaction/context_json.h"

using namespace rules;
using Json = nlohmann::json;

namespace {

constexpr const char* kCaught = "fn caught(f) { let told = \"\"; try { told = `${f.call()}`; } catch (e) { told = e; } told }";

struct Place {
  queue::testing::TestSpool folder;
  std::string secret = folder.path + "/secret";

  Place() {
    std::ofstream(secret) << "the-secret-of-this-test\n";
    ::chmod(secret.c_str(), 0600);
  }
  std::string ask(const std::string& expression, Stage stage = Stage::Preq, const std::string& sender = "ann@client.example") {
    Session session = testing::session(stage);
    if (session.transaction() != nullptr) session.transaction()->reverse_path = sender;
    return testing::ask(stage, kCaught, "caught(|| " + expression + ")", session, testing::site(nullptr, {{"delivery.srs_secret_file", secret}}));
  }
};

}  // namespace

TEST_CASE("srs: a forwarder's address, and back") {
  Place place;
  const auto forwarded = place.ask("srs::forward(\"srs.example\")");
  CHECK(forwarded.starts_with("SRS0="));
  CHECK(forwarded.ends_with("=client.example=ann@srs.example"));
  CHECK(place.ask("srs::reverse(\"" + forwarded + "\")", Stage::Rcpt) == "ann@client.example");
  CHECK(place.ask("srs::reverse(\"" + forwarded + "\")", Stage::Connect) == "ann@client.example");
  // What was not made here, and what is another address.
  CHECK(place.ask("srs::reverse(\"SRS0=AAAA=AA=client.example=ann@srs.example\") == ()") == "true");
  CHECK(place.ask("srs::reverse(\"ann@srs.example\") == ()") == "true");
  CHECK(place.ask("srs::forward(\"srs.example\") == \"\"", Stage::Preq, "") == "true");
  CHECK(place.ask("srs::forward(\"client.example\")") == "ann@client.example");
  // It can be put in the sender's place, however long it is.
  CHECK(place.ask("{ rewrite_mail_from_envelop(srs::forward(\"srs.example\")); mail_from() }", Stage::Preq, std::string(60, 'a') + "@client.example").ends_with("@srs.example"));
}

TEST_CASE("srs: what it complains of") {
  Place place;
  CHECK(place.ask("srs::forward(\"no domain\")").contains("'no domain' is no domain"));
  CHECK(place.ask("srs::reverse(\"nobody\")").contains("address"));
  place.secret += "-not-there";
  CHECK(place.ask("srs::forward(\"srs.example\")").contains("delivery.srs_secret_file"));
  place.secret.clear();
  CHECK(place.ask("srs::forward(\"srs.example\")") == "delivery.srs_secret_file is not set");
}

TEST_CASE("verp: an address for a recipient, and back") {
  Place place;
  CHECK(place.ask("verp::make(\"news@lists.example\", \"joe@other.example\")") == "news-joe=other.example@lists.example");
  CHECK(place.ask("verp::recipient(\"news@lists.example\", \"news-joe=other.example@lists.example\")", Stage::Rcpt) == "joe@other.example");
  CHECK(place.ask("verp::recipient(\"news@lists.example\", \"joe@lists.example\") == ()") == "true");
}

TEST_CASE("verp: a mailing is asked of the queue") {
  const auto context = [](const std::string& call) {
    Session session = testing::session(Stage::Preq);
    const auto rules = testing::load("#{ preq: [ action \"asks\" || " + call + " ] }", testing::site());
    run_stage(*rules, session, Stage::Preq);
    return Json::parse(to_context(session, {.reader = ContextForm::For::Chain}));
  };
  CHECK(context("verp::each()")["verp"] == "-=");
  CHECK(context("verp::each(\"+=\")")["verp"] == "+=");
  CHECK_FALSE(context("()").contains("verp"));
  Place place;
  CHECK(place.ask("verp::each(\"==\")").starts_with("verp::each: '==' are no delimiters"));

  // The next filter hands it on.
  const auto again = [](const std::string& octets) {
    Session next;
    REQUIRE(from_context(next, octets));
    return Json::parse(to_context(next, {.reader = ContextForm::For::Chain}, GivenContext::parse(octets).value()));
  };
  CHECK(again(R"({"verp":"+=","metadata":{}})")["verp"] == "+=");
}
