// Scripts of v3: functions on_STAGE(ctx) instead of a map (vsl.md 2.2).
#include <doctest/doctest.h>

#include "vsl-filter/stages/testing.h"

using namespace rules;
using testing::load;
using testing::session;

namespace {

constexpr const char* kPolicy = R"(
fn on_helo(ctx) {
    if ctx.helo == "localhost" { status::deny("550 5.7.1 who are you?") } else { status::next() }
}
fn on_mail_from(ctx) { ctx.run([
    action "stamp" |ctx| ctx["X-Gate"] = "seen",
    rule "greeting name" |ctx| if ctx.helo == "bad.example" { status::deny("550 5.7.1 who are you?") } else { status::next() },
    rule "own reply" || if ctx().sender.domain == "partner.example" { status::accept("250 welcome") } else { status::next() },
]) }
fn on_rcpt_to(ctx) {
    const ours = #{
        "own.example": [ rule "known" |ctx| if ctx.rcpt.local_part == "bob" { status::accept() } else { info("550 5.1.1 no such user") } ],
        "empty.example": [],
    };
    let flow = ctx.flow(ours);
    ctx.run(ours, flow.domain) ?? info(`554 5.7.1 no relay: ${flow.type}`)
}
fn on_pre_queue(ctx) { ctx.run([]) }
fn on_post_queue(ctx) { ctx.run([ rule "fails" || throw "broken" ]) }
)";

Session to(const std::string& recipient, const std::string& sender = "ann@client.example") {
  Session transaction = session(Stage::Helo);
  transaction.mail(sender, "ID1", {});
  transaction.rcpt(recipient, {});
  return transaction;
}

}  // namespace

TEST_CASE("hooks: each stage has its function") {
  const auto rules = load(kPolicy);
  CHECK(testing::mistakes(*rules).empty());
  REQUIRE(rules->is_usable());
  Session transaction = session(Stage::Mail);
  CHECK(testing::run(*rules, transaction, Stage::Connect) == "next");  // no hook
  CHECK(testing::run(*rules, transaction, Stage::Helo) == "next");
  CHECK(testing::run(*rules, transaction, Stage::Mail) == "next");
  CHECK(transaction.headers().get("X-Gate") == "seen");
  Session partner = session(Stage::Helo);
  partner.mail("x@partner.example", "ID1", {});
  const auto result = run_stage(*rules, partner, Stage::Mail);
  CHECK(result.directive == "own reply");
  CHECK(result.status.reply == "250 welcome");
  Session local = session(Stage::Connect);
  local.helo("localhost");
  CHECK(testing::run(*rules, local, Stage::Helo) == "deny 550 5.7.1 who are you?");
}

TEST_CASE("hooks: rules by domain, and where there are none") {
  const auto rules = load(kPolicy);
  REQUIRE(rules->is_usable());
  struct Row {
    const char* sender;
    const char* recipient;
    const char* expected;
  };
  for (const Row& row : {
           Row{"ann@client.example", "bob@own.example", "accept"},
           {"ann@client.example", "bob@OWN.example", "accept"},
           {"ann@client.example", "bob@sub.own.example", "accept"},
           {"ann@client.example", "eve@own.example", "info 550 5.1.1 no such user"},
           {"ann@client.example", "eve@else.example", "info 554 5.7.1 no relay: inbound"},
           {"ann@client.example", "x@empty.example", "info 554 5.7.1 no relay: inbound"},
           {"ann@empty.example", "x@else.example", "info 554 5.7.1 no relay: outbound"},
           {"ann@empty.example", "x@empty.example", "info 554 5.7.1 no relay: local"},
           {"", "bob@own.example", "accept"},
       }) {
    CAPTURE(std::string(row.sender));
    CAPTURE(std::string(row.recipient));
    Session transaction = to(row.recipient, row.sender);
    CHECK(testing::run(*rules, transaction, Stage::Rcpt) == row.expected);
  }
}

TEST_CASE("hooks: no rules let pass, a failing one is the safe default") {
  const auto rules = load(kPolicy);
  REQUIRE(rules->is_usable());
  Session transaction = session(Stage::Postq);
  CHECK(testing::run(*rules, transaction, Stage::Preq) == "next");
  const auto failed = run_stage(*rules, transaction, Stage::Postq);
  CHECK(failed.is_deferred);
  CHECK(failed.failure.find("rule engine failed in 'on_post_queue': test.vsl:") != std::string::npos);
  CHECK(failed.failure.find("Runtime error: broken") != std::string::npos);
}

TEST_CASE("hooks: what is wrong is told") {
  struct Row {
    const char* script;
    const char* told;
  };
  for (const Row& row : {
           Row{"fn on_helo(ctx) { 5 }", ""},
           {"fn on_mail_from(ctx) { next() } fn on_mail_from(a, b) { next() }", ""},
           {"fn on_connect(ctx) { if ctx.helo == \"x\" { deny() } else { next() } }", "`helo` cannot be used in stage `connect`"},
           {"fn helo(ctx) { next() }", "the rules must end in a map of stages"},
           {"fn on_helo(ctx) { next() } #{ helo: [ rule \"map\" || deny() ] }", ""},
       }) {
    CAPTURE(std::string(row.script));
    const auto told = testing::mistakes(*load(row.script));
    CAPTURE(told);
    CHECK((*row.told == '\0' ? told.find("error") == std::string::npos : told.find(row.told) != std::string::npos));
  }
  Session transaction = session(Stage::Helo);
  CHECK(testing::run(*load("fn on_helo(ctx) { 5 }"), transaction, Stage::Helo).starts_with("deny 554"));
  Session other = session(Stage::Helo);
  CHECK(testing::run(*load("fn on_helo(ctx) { next() } #{ helo: [ rule \"map\" || deny(\"550 map\") ] }"), other, Stage::Helo) == "deny 550 map");
  Session outside = session(Stage::Helo);
  CHECK(testing::run(*load("fn on_helo(ctx) { ctx.run([5]) }"), outside, Stage::Helo).starts_with("deny 554"));
}
