// queue::, and what reaches the queue in the context.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "vsl-filter/transaction/context_json.h"
#include "vsl-filter/modes/playback.h"
#include "vsl-filter/stages/testing.h"

using namespace rules;
using Json = nlohmann::json;

namespace {

constexpr const char* kNow = "2026-11-21T20:15:00.000000Z";

Site site() {
  Site site = testing::site();
  site.now = [] { return *base::parse_rfc3339(kNow); };
  return site;
}

struct Done {
  std::string status;
  Json context;
  std::string place;
  Fate fate;
};
Done run(Stage stage, const std::string& rule) {
  Session session = testing::session(stage);
  const auto rules = testing::load("#{ " + std::string(name_of(stage)) + ": [ rule \"asks\" || " + rule + " ] }", site());
  const auto result = run_stage(*rules, session, stage);
  CAPTURE(result.failure);
  return {std::string(name_of(status_of(result.status).kind)), Json::parse(to_context(session, {.reader = ContextForm::For::Chain})), session.place(),
          effect_of(stage, result, true).fate};
}

}  // namespace

TEST_CASE("queue: defer puts off and ends the rules") {
  for (const Stage stage : {Stage::Preq, Stage::Postq, Stage::Delivery}) {
    const auto done = run(stage, "queue::defer(\"450 4.3.2 at night\", 3600)");
    CHECK(done.status == "faccept");
    CHECK(done.place == "deferred");
    CHECK(done.context["queue"] == "deferred");
    CHECK(done.context["put_off"]["reason"] == "450 4.3.2 at night");
    CHECK(std::string(done.context["put_off"]["until"]).starts_with("2026-11-21T21:15:00"));
  }
  // queue.retry_min, 5 minutes.
  CHECK(std::string(run(Stage::Postq, "queue::defer(code_greylist)").context["put_off"]["until"]).starts_with("2026-11-21T20:20:00"));
  // Who is quarantined or held is not put off.
  CHECK(run(Stage::Preq, "{ queue::defer(\"450 later\", 1); quarantine(\"x\") }").place == "quarantine/x");
  CHECK(run(Stage::Preq, "{ queue::hold(\"look at it\"); queue::defer(\"450 later\", 1) }").place == "hold");
}

TEST_CASE("queue: no_bounce") {
  CHECK(run(Stage::Preq, "{ queue::no_bounce(); next() }").context["bounce"] == false);
  CHECK_FALSE(run(Stage::Preq, "next()").context.contains("bounce"));
}

TEST_CASE("queue: hold, retry_after, expire, priority") {
  const auto done = run(Stage::Postq, "{ queue::hold(\"look at it\"); queue::retry_after(60); queue::expire(7200); queue::priority(-5); next() }");
  CHECK(done.status == "next");
  CHECK(done.context["queue"] == "hold");
  CHECK(done.context["hold"] == "look at it");
  CHECK(done.context["retry_after"] == 60);
  CHECK(done.context["expire"] == 7200);
  CHECK(done.context["priority"] == -5);
  CHECK_FALSE(done.context.contains("put_off"));
  CHECK_FALSE(run(Stage::Postq, "{ queue::priority(0); next() }").context.contains("priority"));

  // The next filter of a chain hands on what the first asked.
  Session next;
  const std::string context = R"({"retry_after":60,"expire":7200,"priority":-5,"queue":"deferred","put_off":{"reason":"450 later","until":"2037-01-02T03:04:05Z"},"metadata":{}})";
  REQUIRE(from_context(next, context));
  const auto again = Json::parse(to_context(next, {.reader = ContextForm::For::Chain}, GivenContext::parse(context).value()));
  for (const char* name : {"retry_after", "expire", "priority", "queue", "put_off"}) CHECK(again[name] == Json::parse(context)[name]);
}

TEST_CASE("queue: what it does not take") {
  struct Row {
    const char* call;
    const char* told;
  };
  for (const Row& row : {
           Row{"queue::defer(\"550 5.1.1 never\")", "queue::defer puts a message off: its reply must have a code of 4xx, not 550"},
           {"queue::defer(\"450 later\", -1)", "queue::defer: -1 is out of range; expected: 0 to 2592000 seconds"},
           {"queue::defer(\"450 later\", 2592001)", "queue::defer: 2592001 is out of range"},
           {"queue::retry_after(0)", "queue::retry_after: 0 is out of range; expected: 1 to 2592000 seconds"},
           {"queue::expire(2592001)", "queue::expire: 2592001 is out of range"},
           {"queue::priority(11)", "queue::priority: 11 is out of range; expected: -10 to 10"},
           {"queue::priority(-11)", "queue::priority: -11 is out of range"},
       }) {
    CAPTURE(std::string(row.call));
    Session session = testing::session(Stage::Postq);
    const auto told = testing::ask(Stage::Postq, "fn caught(f) { let told = \"\"; try { f.call(); } catch (e) { told = e; } told }", std::string("caught(|| ") + row.call + ")", session);
    CAPTURE(told);
    CHECK(told.starts_with(row.told));
  }
  for (const char* edge : {"queue::retry_after(1)", "queue::retry_after(2592000)", "queue::expire(0)", "queue::priority(10)", "queue::priority(-10)"})
    CHECK(run(Stage::Postq, std::string("{ ") + edge + "; next() }").status == "next");
  Session early = testing::session(Stage::Rcpt);
  CHECK(testing::ask(Stage::Rcpt, "", "queue::hold(\"x\")", early).find("the field: `queue::hold` is not defined yet, it only is available from the `preq` stage") != std::string::npos);
}

TEST_CASE("queue: a saved message that rules put off is told as deferred") {
  const auto rules = testing::load("#{ preq: [ rule \"asks\" || queue::defer(\"450 4.3.2 at night\", 3600) ], postq: [ rule \"never\" || deny() ] }", site());
  Session session;
  Scenario scenario;
  scenario.reverse_path = "ann@client.example";
  scenario.recipients = {"bob@own.example"};
  scenario.message = base::Blob::of_octets(std::string(testing::kMessage));
  const auto played = play(session, scenario, [&](Session& of, Stage stage) { return run_stage(*rules, of, stage); });
  REQUIRE(played);
  CHECK(name_of(played->end) == "deferred");
  CHECK(played->reply == "450 4.3.2 at night");
}
