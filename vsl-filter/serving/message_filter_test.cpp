#include "vsl-filter/serving/message_filter.h"

#include <doctest/doctest.h>

#include "lib/chain/context.h"
#include "lib/chain/envelope.h"
#include "vsl-filter/stages/testing.h"

using namespace rules;
using rules::testing::kMessage;
using rules::testing::load;

namespace {

chain::Invocation call(std::string context, std::vector<std::string> recipients = {"bob@own.example"}) {
  chain::Invocation invocation;
  invocation.call.message = base::Blob::of_octets(std::string(kMessage));
  invocation.call.envelope = chain::to_octets({"ann@client.example", std::move(recipients)});
  invocation.call.context = std::move(context);
  return invocation;
}

chain::Answer filter(std::string rules, const chain::Invocation& invocation) {
  const auto loaded = load(std::move(rules));
  REQUIRE_MESSAGE(loaded->is_usable(), rules::testing::mistakes(*loaded));
  return filter_message(*loaded, invocation, stage_of_call(invocation.call));
}

std::string text_in(const chain::Answer& answer, std::string_view path) {
  REQUIRE(answer.context);
  return chain::Context::parse(*answer.context)->text(path).value_or("");
}

}  // namespace

TEST_CASE("filter: the stage is that of the queue's call, else preq") {
  const auto stage = [](std::string context) { return stage_of_call(call(std::move(context)).call); };
  CHECK(stage("") == Stage::Preq);
  CHECK(stage("{}") == Stage::Preq);
  CHECK(stage(R"({"stage":"postq"})") == Stage::Postq);
  CHECK(stage(R"({"stage":"delivery"})") == Stage::Delivery);
  CHECK(stage(R"({"stage":"mail"})") == Stage::Preq);
  CHECK(stage(R"({"variables":{"stage":"postq"}})") == Stage::Preq);
}

TEST_CASE("filter: behind the queue what has not changed is not handed on") {
  constexpr auto kLooks = R"(#{ postq: [ rule "look" || if has_header("X-A") { accept() } else { deny() } ] })";
  for (const auto* context : {R"({"stage":"postq"})", R"({"stage":"postq","connection":{"client_addr":"192.0.2.1:25"},"x":1})", R"({"stage":"delivery"})"}) {
    CAPTURE(context);
    const auto answer = filter(kLooks, call(context));
    CHECK(answer.passes);
    CHECK_FALSE(answer.message);
    CHECK_FALSE(answer.envelope);
    CHECK_FALSE(answer.context);
  }
  const auto before = filter(R"(#{ preq: [ action "a" || set_variable("n", 1) ] })", call("{}"));
  REQUIRE(before.context);
  CHECK_FALSE(filter(kLooks, call(R"({"stage":"postq",)" + before.context->substr(1))).context);
  const auto changed = filter(R"(#{ postq: [ action "a" || set_variable("n", 2) ] })", call(R"({"stage":"postq",)" + before.context->substr(1)));
  REQUIRE(changed.context);
  CHECK(changed.context->starts_with(R"({"stage":"postq",)"));
  CHECK_FALSE(changed.message);
}

TEST_CASE("filter: a quarantine behind the queue says who, where, when and why") {
  const auto answer = filter(R"(#{ delivery: [ rule "next" || next(), rule "scan" || quarantine("virus/zip", "Eicar") ] })", call(R"({"stage":"delivery"})"));
  CHECK(answer.passes);
  CHECK(text_in(answer, "quarantine.name") == "virus/zip");
  CHECK(text_in(answer, "quarantine.reason") == "Eicar");
  CHECK(text_in(answer, "quarantine.rule") == "scan");
  CHECK(text_in(answer, "quarantine.stage") == "delivery");
  CHECK(text_in(answer, "quarantine.time").size() > 10);
  CHECK(chain::folder_in(*chain::Context::parse(*answer.context)) == "quarantine/virus/zip");
}

TEST_CASE("filter: what was set aside and is here again is delivered, and goes on with its rules") {
  const auto aside = filter(R"(#{ postq: [ action "way" || maildir_all(), rule "q" || quarantine("virus") ] })", call(R"({"stage":"postq"})"));
  auto json = *aside.context;  // as queue-run calls for it then
  const auto at = json.find(R"("quarantine":)");
  REQUIRE(at != std::string::npos);
  const auto end = json.find('}', at) + 1;
  const auto object = json.substr(at, end - at);
  json.erase(at - 1, end - at + 1);
  json.replace(json.find("postq"), 5, "delivery");
  json.insert(json.size() - 1, R"(,"released":{)" + object + "}");
  const auto answer = filter(R"(#{ delivery: [ rule "runs" || { append_header("X-Ran", "1"); next() } ] })", call(json));
  CHECK(answer.passes);
  CHECK(answer.message.has_value());
  const auto context = chain::Context::parse(*answer.context);
  CHECK(chain::folder_in(*context).empty());
  CHECK_FALSE(context->has("released"));
  CHECK(context->recipients().front().transfer_method == "Maildir");
  // Hold and denial too.
  for (const auto* before : {R"("released":{"queue":"hold","hold":"why"})", R"("released":{"queue":"dead"},"metadata":{"skipped":{"Deny":{"Right":"554 no"}}})"}) {
    const auto again = filter(R"(#{ delivery: [ rule "runs" || next() ] })", call(std::string(R"({"stage":"delivery",)") + before + "}"));
    CHECK(again.passes);
    CHECK(chain::folder_in(*chain::Context::parse(*again.context)).empty());
  }
}

TEST_CASE("filter: denied behind the queue, the message is dead and says why") {
  const auto answer = filter(R"(#{ postq: [ rule "no" || deny("554 5.6.0 not this") ] })", call(R"({"stage":"postq"})"));
  CHECK(answer.passes);
  CHECK(text_in(answer, "queue") == "dead");
  CHECK(answer.context->contains("rule engine denied the message in postq: 554 5.6.0 not this"));
}

TEST_CASE("filter: a rule that fails behind the queue tells the queue where") {
  const auto answer = filter("#{ postq: [ rule \"broken\" || { let n = 0; if 1 / n == 0 { accept() } else { next() } } ] }", call(R"({"stage":"postq"})"));
  CHECK_FALSE(answer.passes);
  CHECK(answer.exit_code == base::kExitAsReported);
  CHECK(answer.report.starts_with("Z451 4.3.0 stage 'postq' skipped => rule engine failed in 'broken': test.vsl:1:"));
}
