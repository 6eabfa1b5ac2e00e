#include "queue-run/rules_stage.h"

#include <doctest/doctest.h>

#include "lib/chain/context.h"
#include "lib/chain/delegation.h"
#include "lib/chain/envelope.h"

namespace {

using run::RulesStage;
using run::Verdict;
using What = Verdict::What;
using queue::EventKind;
using queue::State;

queue::Event event(EventKind kind, std::string stage) { return {base::WallTime(), kind, std::nullopt, std::move(stage), {}, {}}; }
const queue::Event kRanPostq = event(EventKind::Ruled, "postq"), kRanDelivery = event(EventKind::Ruled, "delivery");
const queue::Event kFailedPostq = event(EventKind::Unruled, "postq"), kFailedDelivery = event(EventKind::Unruled, "delivery");

std::string next(std::string_view context, std::vector<queue::Event> events, State state, run::RulesStages stages = {}) {
  const auto stage = run::next_stage(context, events, {state, {}}, stages);
  return stage ? std::string(name_of(*stage)) : "none";
}

chain::Outcome passed(std::optional<std::string> context, std::optional<std::string> envelope = {}, std::optional<base::Blob> message = {}) {
  auto answer = std::make_shared<chain::Answer>(chain::Answer::pass());
  answer->context = std::move(context);
  answer->envelope = std::move(envelope);
  answer->message = std::move(message);
  chain::Outcome outcome;
  outcome.result = chain::Outcome::Class::Taken;
  outcome.passed = std::move(answer);
  return outcome;
}

chain::Outcome ended(chain::Outcome::Class result, std::string reply, std::string cause = {}) {
  chain::Outcome outcome;
  outcome.result = result;
  outcome.reply = std::move(reply);
  outcome.cause = std::move(cause);
  return outcome;
}

Verdict verdict(const chain::Outcome& outcome, RulesStage stage = RulesStage::Postq) { return run::verdict_of(outcome, nullptr, R"({"stage":"postq"})", stage); }

}  // namespace

TEST_CASE("rules of the queue: which stage is next, by the folder and by what has run") {
  CHECK(next("{}", {}, State::Working) == "postq");
  CHECK(next("{}", {}, State::Deliver) == "delivery");
  CHECK(next("{}", {}, State::Deferred) == "none");
  CHECK(next("{}", {kRanPostq}, State::Working) == "delivery");
  CHECK(next("{}", {kRanPostq, kRanDelivery}, State::Working) == "none");
  CHECK(next("{}", {kRanDelivery}, State::Deliver) == "none");
  CHECK(next(R"({"stage":"postq","x":1})", {}, State::Working) == "delivery");
  CHECK(next(R"({"x":1,"stage":"delivery"})", {}, State::Working) == "none");
  CHECK(next(R"({"stage":"preq"})", {}, State::Working) == "postq");
  CHECK(next(R"({"queue":"deliver"})", {}, State::Deliver) == "none");  // faccept before the queue
  CHECK(next(R"({"queue":"hold"})", {}, State::Working) == "postq");    // released
  CHECK(next(R"({"variables":{"queue":"deliver"}})", {}, State::Working) == "postq");
}

TEST_CASE("rules of the queue: those that failed run again, wherever the message is") {
  CHECK(next("{}", {kFailedPostq}, State::Deferred) == "postq");
  CHECK(next("{}", {kFailedPostq, kRanPostq}, State::Deferred) == "none");
  CHECK(next("{}", {kFailedPostq, kRanPostq, kFailedDelivery}, State::Deferred) == "delivery");
  CHECK(next("{}", {kRanPostq, kFailedDelivery}, State::Working) == "delivery");
  CHECK(next("{}", {kFailedPostq}, State::Deliver) == "postq");
  // Of a text that rules have made since.
  CHECK(next(R"({"stage":"postq"})", {kFailedPostq}, State::Deferred) == "none");
  CHECK(next(R"({"stage":"delivery"})", {kFailedDelivery}, State::Deliver) == "none");
  CHECK(next("{}", {event(EventKind::Unruled, "nonsense")}, State::Deferred) == "none");
}

TEST_CASE("rules of the queue: only the stages that are configured") {
  CHECK(next("{}", {}, State::Working, {.postq = false, .delivery = true}) == "delivery");
  CHECK(next("{}", {}, State::Working, {.postq = true, .delivery = false}) == "postq");
  CHECK(next("{}", {kRanPostq}, State::Working, {.postq = true, .delivery = false}) == "none");
  CHECK(next("{}", {}, State::Deliver, {.postq = true, .delivery = false}) == "none");
}

TEST_CASE("rules of the queue: the context of the call") {
  const auto postq = [](std::string_view stored) { return run::context_for_rules(stored, RulesStage::Postq); };
  CHECK(postq("{}") == R"({"stage":"postq"})");
  CHECK(postq("") == R"({"stage":"postq"})");
  CHECK(postq(R"({"a":[1]})") == R"({"stage":"postq","a":[1]})");
  CHECK(run::context_for_rules(R"({"stage":"postq","a":1})", RulesStage::Delivery) == R"({"stage":"delivery","a":1})");
  CHECK(run::context_for_rules(R"({"a":1,"stage":"postq"})", RulesStage::Delivery) == R"({"stage":"delivery","a":1})");
  CHECK(run::context_for_rules(R"({"stage":7,"a":1})", RulesStage::Delivery) == R"({"stage":"delivery","a":1})");
  CHECK(postq(R"({"hold":"why","a":1,"queue":"hold"})") == R"({"stage":"postq","a":1,"released":{"queue":"hold","hold":"why"}})");
  CHECK(postq(R"({"a":{"queue":1}})") == R"({"stage":"postq","a":{"queue":1}})");
}

TEST_CASE("rules of the queue: nothing changed, nothing to be written") {
  CHECK_FALSE(verdict(passed({})).has_changes());
  CHECK(verdict(passed({})).what == What::GoesOn);
  CHECK_FALSE(verdict(passed(R"({"stage":"postq"})")).has_changes());
  chain::Answer given = chain::Answer::pass();
  CHECK(run::verdict_of(ended(chain::Outcome::Class::Taken, "250 ok"), &given, "{}", RulesStage::Postq).what == What::GoesOn);
}

TEST_CASE("rules of the queue: what they change, with the stage that has run") {
  const auto changed = verdict(passed(R"({"stage":"postq","variables":{"a":1}})", std::string("Fa@b\0Tc@d\0\0", 11), base::Blob::of_octets("x")));
  CHECK(changed.what == What::GoesOn);
  CHECK(changed.context == R"({"stage":"postq","variables":{"a":1}})");
  CHECK(changed.envelope.has_value());
  CHECK(changed.message.has_value());
  CHECK(verdict(passed(R"({"a":1})"), RulesStage::Delivery).context == R"({"stage":"delivery","a":1})");
}

TEST_CASE("rules of the queue: where they set a message aside") {
  const auto place = [](std::string context) {
    const auto is = verdict(passed(std::move(context)));
    return is.what == What::SetAside ? is.place.folder() + "|" + is.text : std::string("goes on");
  };
  CHECK(place(R"({"quarantine":"virus/zip"})") == "quarantine/virus/zip|quarantined as virus/zip");
  CHECK(place(R"({"quarantine":{"name":"virus","reason":"EICAR"}})") == "quarantine/virus|quarantined as virus: EICAR");
  CHECK(place(R"({"queue":"hold","hold":"to be looked at"})") == "hold|held: to be looked at");
  CHECK(place(R"({"queue":"dead","metadata":{"skipped":{"Deny":{"Right":"554 5.6.0 bad\r\n"}}}})") == "dead|denied: 554 5.6.0 bad");
  CHECK(place(R"({"queue":"deliver"})") == "goes on");
  CHECK(verdict(passed(R"({"queue":"deliver"})")).ends_rules);
  CHECK(verdict(passed(R"({"queue":"deliver"})")).context == R"({"stage":"delivery","queue":"deliver"})");
  const auto later = verdict(passed(R"({"queue":"deferred","put_off":{"reason":"450 4.3.2 at night","until":"2026-11-21T20:15:00Z"}})"));
  CHECK(later.place.state == State::Deferred);
  CHECK(later.until == base::parse_rfc3339("2026-11-21T20:15:00Z"));
  CHECK(later.text == "put off: 450 4.3.2 at night");
  CHECK(later.context->starts_with(R"({"stage":"delivery")"));
}

TEST_CASE("rules of the queue: refusals, mistakes and programs that end without passing on") {
  using Class = chain::Outcome::Class;
  const auto denied = verdict(ended(Class::Permanent, "554 5.7.1 no"));
  CHECK(denied.what == What::SetAside);
  CHECK(denied.place.state == State::Dead);
  CHECK(denied.text == "denied: 554 5.7.1 no");
  CHECK(verdict(ended(Class::Temporary, "", "unix:/x: no answer within 2 s")).text == "unix:/x: no answer within 2 s");
  CHECK(verdict(ended(Class::Temporary, "451 later")).what == What::Failed);
  CHECK(verdict(ended(Class::Taken, "")).what == What::Discarded);
  for (const auto* bad : {"", "[]", "{", R"({"queue":"../x"})", R"({"quarantine":"../x"})"}) {
    CAPTURE(bad);
    CHECK(verdict(passed(bad)).what == What::Failed);
  }
  CHECK(verdict(passed({}, std::string("Fa@b\0\0", 6))).what == What::Failed);
  CHECK(verdict(passed({}, "nonsense")).what == What::Failed);
}

TEST_CASE("rules of the queue: a delegated message is not through its stage, and goes on there when it is back") {
  const auto context = [](std::string stage, std::string state) {
    return R"({"stage":")" + stage + R"(","queue":"delegated","delegation":{"state":")" + state + R"(","stage":")" + stage + R"(","directive":"scan","address":"127.0.0.1:26"}})";
  };
  const auto postq = verdict(passed(context("postq", "waiting")));
  CHECK(postq.what == What::SetAside);
  CHECK(postq.is_delegated);
  CHECK(postq.place.state == State::Delegated);
  CHECK(postq.text == "delegated by scan to 127.0.0.1:26");
  CHECK_FALSE(postq.context->contains(R"("stage":"postq","queue")"));
  CHECK(next(chain::context_when_back(*postq.context), {event(EventKind::Delegated, "postq")}, State::Delegated) == "postq");

  const auto delivery = verdict(passed(context("delivery", "waiting")), RulesStage::Delivery);
  CHECK(delivery.is_delegated);
  CHECK(delivery.context->starts_with(R"({"stage":"postq",)"));
  CHECK(next(chain::context_when_back(*delivery.context), {kRanPostq, event(EventKind::Delegated, "delivery")}, State::Delegated) == "delivery");

  // Its rules failed then, or have run; or somebody else has put the stage there.
  const auto back = chain::context_when_back(*postq.context);
  CHECK(next(back, {kFailedPostq}, State::Deferred) == "postq");
  CHECK(next(back, {kRanPostq}, State::Delegated) == "delivery");
  CHECK(next(chain::context_when_back(context("postq", "waiting")), {}, State::Delegated) == "postq");
  // Of another stage, or without a service, it is only set aside.
  CHECK_FALSE(verdict(passed(context("delivery", "waiting"))).is_delegated);
  CHECK_FALSE(verdict(passed(std::string(R"({"queue":"delegated"})"))).is_delegated);
}
