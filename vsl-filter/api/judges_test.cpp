// rate:: and greylist:: as rules use them (vsl.md 5.4, S6).
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "vsl-filter/stages/testing.h"

using namespace rules;

namespace {

struct Folder {
  std::string path = "/tmp/judges_test.XXXXXX";
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
};

// Time as the test says; settings of the examples.
struct Bench {
  Folder folder;
  base::WallTime now = *base::parse_rfc3339("2026-11-21T20:15:00.000000Z");

  Site site() {
    Site site = rules::testing::site(nullptr, {{"rules.state_directory", folder.path + "/state"}});
    site.now = [this] { return now; };
    return site;
  }
  void pass(std::chrono::seconds time) { now += time; }
};

std::string run(const RuleSet& rules, Stage stage, const std::string& client_ip = "192.0.2.10", const std::vector<std::string>& recipients = {"bob@own.example"}) {
  Session session = rules::testing::session(stage, recipients);
  session.connection.client_ip = client_ip;
  return rules::testing::run(rules, session, stage);
}

const std::string kGreylisted = "info 451 4.7.1 Sender is not authorized. Please try again.";

void check_greylist(Bench& bench, const std::string& service) {
  const auto rules = rules::testing::load(
      service + R"(#{ rcpt: [ rule "grey" || greylist::check(#{ delay: "5m", expire: "10d", service: db }) ],
                      preq: [ rule "all" || greylist::check(#{ service: db }) ] })", bench.site());
  REQUIRE_MESSAGE(rules->is_usable(), rules::testing::mistakes(*rules));
  CHECK(run(*rules, Stage::Rcpt) == kGreylisted);
  CHECK(run(*rules, Stage::Rcpt) == kGreylisted);
  bench.pass(std::chrono::seconds(299));
  CHECK(run(*rules, Stage::Rcpt) == kGreylisted);
  CHECK(run(*rules, Stage::Rcpt, "192.0.2.10", {"carl@own.example"}) == kGreylisted);
  bench.pass(std::chrono::seconds(1));
  CHECK(run(*rules, Stage::Rcpt) == "next");
  CHECK(run(*rules, Stage::Rcpt, "192.0.2.99", {"BOB@own.example"}) == "next");     // another machine of the network
  CHECK(run(*rules, Stage::Rcpt, "192.0.3.10") == kGreylisted);                     // another network
  CHECK(run(*rules, Stage::Rcpt, "192.0.2.10", {"carl@own.example"}) == kGreylisted);  // one second early
  CHECK(run(*rules, Stage::Rcpt, "2001:db8::1") == kGreylisted);
  CHECK(run(*rules, Stage::Preq, "192.0.2.10", {"bob@own.example", "dora@own.example"}) == kGreylisted);
  bench.pass(std::chrono::seconds(300));
  CHECK(run(*rules, Stage::Rcpt, "2001:db8::ffff") == "next");
  CHECK(run(*rules, Stage::Preq, "192.0.2.10", {"bob@own.example", "dora@own.example"}) == "next");
  // Who goes on sending stays known, who does not is forgotten.
  for (int day = 0; day < 12; ++day) {
    bench.pass(std::chrono::hours(24));
    CHECK(run(*rules, Stage::Rcpt) == "next");
  }
  CHECK(run(*rules, Stage::Rcpt, "192.0.3.10") == kGreylisted);
  bench.pass(std::chrono::minutes(5));
  CHECK(run(*rules, Stage::Rcpt, "192.0.3.10") == "next");
}

}  // namespace

TEST_CASE("greylist: with a csv service") {
  Bench bench;
  std::ofstream(bench.folder.path + "/grey.csv") << "";
  check_greylist(bench, "service db db:csv = #{ connector: \"" + bench.folder.path + "/grey.csv\" };\n");
}

TEST_CASE("greylist: with an SQLite service") {
  Bench bench;
  check_greylist(bench, "service db db:sqlite = #{ path: \"" + bench.folder.path + "/grey.sqlite\" };\n");
}

TEST_CASE("greylist: S6, written by hand with a csv service") {
  Bench bench;
  std::ofstream(bench.folder.path + "/grey.csv") << "";
  const auto rules = rules::testing::load("service db db:csv = #{ connector: \"" + bench.folder.path + R"(/grey.csv" };
    #{ rcpt: [ rule "grey" || {
      let sender = `${mail_from()}`;
      if db.get(sender) == [] { db.set([sender]); return deny(code_greylist) }
      accept()
    } ] })", bench.site());
  REQUIRE_MESSAGE(rules->is_usable(), rules::testing::mistakes(*rules));
  CHECK(run(*rules, Stage::Rcpt) == "deny 451 4.7.1 Sender is not authorized. Please try again.");
  CHECK(run(*rules, Stage::Rcpt) == "accept");
}

TEST_CASE("rate: limit, count and penalty in rules") {
  Bench bench;
  const auto rules = rules::testing::load(R"(#{
    connect: [ rule "few" || rate::limit(client_ip(), 3, 60) ],
    mail: [ rule "own reply" || rate::limit(`sender ${mail_from()}`, 1, 60, "452 4.7.1 slowly") ],
    rcpt: [ action "bad" || { rate::penalty(client_ip(), 2); },
            rule "told" || info(`499 ${rate::count(client_ip(), 60)}`) ] })", bench.site());
  REQUIRE_MESSAGE(rules->is_usable(), rules::testing::mistakes(*rules));
  CHECK(run(*rules, Stage::Connect) == "next");
  CHECK(run(*rules, Stage::Rcpt) == "info 499 3");
  CHECK(run(*rules, Stage::Connect) == "deny 450 4.7.1 Too many requests, try again later");
  CHECK(run(*rules, Stage::Connect, "192.0.2.11") == "next");
  CHECK(run(*rules, Stage::Mail) == "next");
  CHECK(run(*rules, Stage::Mail) == "info 452 4.7.1 slowly");
  bench.pass(std::chrono::seconds(120));
  CHECK(run(*rules, Stage::Connect) == "next");
  const auto again = rules::testing::load("#{ rcpt: [ rule \"told\" || info(`499 ${rate::count(client_ip(), 60)}`) ] }", bench.site());
  CHECK(run(*again, Stage::Rcpt) == "info 499 1");  // what others have counted in the same folder
}
