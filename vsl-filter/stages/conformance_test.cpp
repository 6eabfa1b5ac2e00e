// The conformance examples of vsl.md 6.2 (C1 to C18) and 6.3 (O1 to O10).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "vsl-filter/stages/testing.h"

using namespace rules;
using testing::ask;
using testing::load;
using testing::session;

namespace {

std::string run_one(Stage stage, const char* script) {
  Session transaction = session(stage);
  return testing::run(*load(script), transaction, stage);
}

std::string first_error(const char* script) {
  const auto rules = load(script);
  if (rules->is_usable()) return "no error";
  return testing::mistakes(*rules);
}

bool has(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE(text);
  return found;
}

}  // namespace

TEST_CASE("rules C: one stage, its status and reply") {
  struct Row { const char* name; Stage stage; const char* script; const char* expected; };
  const Row kRows[] = {
      {"C1", Stage::Connect, R"(#{ connect: [ rule "a" || next(), rule "b" || accept(), rule "c" || deny() ] })", "accept"},
      {"C2", Stage::Rcpt, R"(#{ rcpt: [ rule "pass" || faccept("250 2.1.5 trusted") ], preq: [ rule "no" || deny() ] })", "faccept 250 2.1.5 trusted"},
      {"C3", Stage::Mail, R"(#{ mail: [ rule "named" || {
           object refuse code = #{ code: 550, enhanced: "5.7.1", text: "not you" };
           if mail_from().domain == "client.example" { deny(refuse); } else { next() }
         } ] })", "deny 550 5.7.1 not you"},
      {"C4", Stage::Rcpt, R"(#{ rcpt: [ rule "soft" || info("451 4.7.0 come back") ] })", "info 451 4.7.0 come back"},
      {"C5", Stage::Helo, R"(#{ helo: [ rule "no value" || if helo() == "other" { accept() } ] })", "deny 554 permanent problems with the remote server"},
      {"C6", Stage::Helo, R"(#{ helo: [ action "ignored" || if helo() == "mx.client.example" { deny() }, rule "end" || next() ] })", "next"},
      {"C7", Stage::Connect, R"(#{ connect: [ rule "q" || quarantine("suspects") ], mail: [ rule "never" || deny() ] })", "quarantine"},
      {"C8", Stage::Preq, R"(#{ preq: [ action "only the side effect" || { quarantine("x"); }, rule "end" || accept() ] })", "accept"},
      {"C9", Stage::Connect, R"(#{ connect: [ rule "early" || { message_id(); next() } ] })", "deny 554 permanent problems with the remote server"},
      {"C10", Stage::Connect, R"(#{ connect: [ rule "caught" || {
           try { rewrite_mail_from_envelop("no address"); } catch (e) { return if "invalid type conversion" in e { accept() } else { deny() }; }
           deny()
         } ] })", "accept"},
      {"C17", Stage::Connect, R"(#{ connect: [ rule "cmp" || {
           if next() is next() && deny() not deny("554 5.7.1 x") && accept() == accept() && deny().to_string() == "deny" { accept() } else { deny() }
         } ] })", "accept"},
      {"C18", Stage::Rcpt, R"(const limit = 1;
         #{ rcpt: [ rule "few" #{ description: "one only", evaluate: || if rcpt_list().len > limit { deny() } else { next() } } ] })", "next"},
      {"log in", Stage::Authenticate, R"(#{ authenticate: [ rule "yes" || accept() ] })", "accept 235 2.7.0 Authentication succeeded"},
      {"log in fails", Stage::Authenticate, R"(#{ authenticate: [ rule "no" || deny() ] })", "deny 535 5.7.8 Authentication credentials invalid"},
      {"no rules for it", Stage::Authenticate, "#{}", "next 535 5.7.8 Authentication credentials invalid"},
      {"D-25", Stage::Helo, R"(#{ helo: [ rule "own" || accept("250 hello") ] })", "accept 250 hello"},
      {"a greeting is no 250", Stage::Connect, R"(#{ connect: [ rule "own" || accept("250 hello") ] })", "accept"},
      {"alias of a stage", Stage::Mail, R"(#{ mail_from: [ rule "own" || deny() ] })", "deny 554 permanent problems with the remote server"},
      {"exit", Stage::Mail, R"(#{ mail: [ rule "out" || { exit(info("450 later")); deny() } ] })", "info 450 later"},
  };
  for (const Row& row : kRows) {
    CAPTURE(std::string(row.name));
    CHECK(run_one(row.stage, row.script) == row.expected);
  }
}

TEST_CASE("rules C: what a stage leaves for the next ones") {
  {  // C2
    const auto rules = load(R"(#{ rcpt: [ rule "pass" || faccept("250 2.1.5 trusted") ], preq: [ rule "no" || deny() ] })");
    Session transaction = session(Stage::Preq);
    CHECK(testing::run(*rules, transaction, Stage::Rcpt) == "faccept 250 2.1.5 trusted");
    CHECK(testing::run(*rules, transaction, Stage::Preq) == "faccept");
    CHECK(effect_of(Stage::Preq, run_stage(*rules, transaction, Stage::Preq), true).fate == Fate::Deliver);
    transaction.reset();
    transaction.mail("x@y.example", "ID2", {});
    CHECK(transaction.skip().kind == Skip::Kind::None);  // D-11: RSET ends what rcpt decided
  }
  {  // C7
    const auto rules = load(R"(#{ connect: [ rule "q" || quarantine("suspects") ], mail: [ rule "never" || deny() ] })");
    Session transaction = session(Stage::Connect);
    CHECK(testing::run(*rules, transaction, Stage::Connect) == "quarantine");
    transaction.mail("x@y.example", "ID2", {});
    CHECK(testing::run(*rules, transaction, Stage::Mail) == "quarantine");
    CHECK(transaction.place() == "quarantine/suspects");
    CHECK(effect_of(Stage::Preq, run_stage(*rules, transaction, Stage::Preq), true).fate == Fate::Quarantine);
  }
  {  // C8
    const auto rules = load(R"(#{ preq: [ action "only the side effect" || { quarantine("x"); }, rule "end" || accept() ] })");
    Session transaction = session(Stage::Preq, {"bob@own.example", "eve@own.example"});
    CHECK(testing::run(*rules, transaction, Stage::Preq) == "accept");
    for (const Recipient& recipient : transaction.transaction()->recipients.all()) CHECK(recipient.transfer.method == chain::TransferMethod::None);
    CHECK(transaction.place().empty());
  }
  {  // C16
    const auto rules = load(R"(#{ postq: [ rule "late" || deny("554 5.6.0 bad content") ] })");
    Session transaction = session(Stage::Postq);
    const Effect effect = effect_of(Stage::Postq, run_stage(*rules, transaction, Stage::Postq), true);
    CHECK(effect.fate == Fate::Dead);
    CHECK(effect.reason == "rule engine denied the message in postq: 554 5.6.0 bad content");
    CHECK_FALSE(effect.reply.has_value());
  }
  {  // C18 with two recipients
    const auto rules = load("const limit = 1;\n#{ rcpt: [ rule \"few\" || if rcpt_list().len > limit { deny() } else { next() } ] }");
    Session transaction = session(Stage::Rcpt, {"a@own.example", "b@own.example"});
    CHECK(testing::run(*rules, transaction, Stage::Rcpt).starts_with("deny"));
  }
  {  // C15
    Session transaction = session(Stage::Connect);
    const auto rules = RuleSet::none(testing::site());
    CHECK(testing::run(*rules, transaction, Stage::Connect).starts_with("deny 554"));
  }
}

TEST_CASE("rules C: which directives run, and what the server does behind the reply") {
  struct Names : Trace {
    std::vector<std::string> names;
    void on_directive(const DirectiveReport& report) override { names.push_back(report.directive.name); }
  };
  {  // C1: c is not evaluated
    const auto rules = load(R"(#{ connect: [ rule "a" || next(), rule "b" || accept(), rule "c" || deny() ] })");
    Session transaction = session(Stage::Connect);
    Names ran;
    const auto result = run_stage(*rules, transaction, Stage::Connect, &ran);
    CHECK(ran.names == std::vector<std::string>{"a", "b"});
    CHECK(result.directive == "b");
    CHECK_FALSE(effect_of(Stage::Connect, result, true).reply.has_value());  // the greeting
  }
  {  // C3: connection closed
    const auto rules = load(R"(#{ mail: [ rule "named" || deny("550 5.7.1 not you") ] })");
    Session transaction = session(Stage::Mail);
    CHECK(effect_of(Stage::Mail, run_stage(*rules, transaction, Stage::Mail), true).closes);
  }
  {  // C4: the recipient leaves the list, the connection stays, the next RCPT is evaluated
    const auto rules = load(R"(#{ rcpt: [ rule "soft" || if rcpt().local_part == "bob" { info("451 4.7.0 come back") } else { next() } ] })");
    Session transaction = session(Stage::Rcpt);
    const auto effect = effect_of(Stage::Rcpt, run_stage(*rules, transaction, Stage::Rcpt), true);
    CHECK_FALSE(effect.closes);
    CHECK_FALSE(effect.advances);
    transaction.refuse_rcpt();  // as the server does then
    CHECK(transaction.transaction()->recipients.size() == 0);
    transaction.rcpt("eve@own.example", {});
    CHECK(testing::run(*rules, transaction, Stage::Rcpt) == "next");
  }
  {  // C5: what the log says
    const auto rules = load(R"(#{ helo: [ rule "no value" || if helo() == "other" { accept() } ] })");
    Session transaction = session(Stage::Helo);
    const auto result = run_stage(*rules, transaction, Stage::Helo);
    CHECK(has(result.failure, "stage 'helo' skipped => rule engine failed in 'no value': test.vsl:1:"));
    CHECK(has(result.failure, "Output type incorrect: () (expecting status)"));
  }
}

TEST_CASE("rules 2.4: every status in every stage") {
  // As the table has it: reply ("": the standard one), whether the SMTP state advances, whether the connection closes, the message's fate.
  struct Row {
    Stage stage;
    const char* status;
    const char* reply;
    bool advances, closes;
    Fate fate;
  };
  constexpr const char* kDenied = "554 permanent problems with the remote server";
  constexpr const char* kBad = "535 5.7.8 Authentication credentials invalid";
  constexpr const char* kGood = "235 2.7.0 Authentication succeeded";
  const Row kRows[] = {
      {Stage::Connect, "next()", "", true, false, Fate::GoOn},
      {Stage::Connect, "accept()", "", true, false, Fate::GoOn},
      {Stage::Connect, "accept(\"220 hi\")", "220 hi", true, false, Fate::GoOn},
      {Stage::Connect, "faccept()", "", true, false, Fate::GoOn},
      {Stage::Connect, "faccept(\"220 hi\")", "220 hi", true, false, Fate::GoOn},
      {Stage::Connect, "deny()", kDenied, false, true, Fate::Drop},
      {Stage::Connect, "deny(\"554 5.7.1 no\")", "554 5.7.1 no", false, true, Fate::Drop},
      {Stage::Connect, "info(\"220 hi\")", "220 hi", true, false, Fate::GoOn},
      {Stage::Connect, "quarantine(\"x\")", "", true, false, Fate::GoOn},
      {Stage::Helo, "next()", "", true, false, Fate::GoOn},
      {Stage::Helo, "accept()", "", true, false, Fate::GoOn},
      {Stage::Helo, "accept(\"250 hi\")", "250 hi", true, false, Fate::GoOn},
      {Stage::Helo, "deny()", kDenied, false, true, Fate::Drop},
      {Stage::Helo, "info(\"501 5.5.4 what?\")", "501 5.5.4 what?", false, false, Fate::GoOn},
      {Stage::Helo, "quarantine(\"x\")", "", true, false, Fate::GoOn},
      {Stage::Authenticate, "next()", kBad, false, false, Fate::GoOn},
      {Stage::Authenticate, "accept()", kGood, true, false, Fate::GoOn},
      {Stage::Authenticate, "accept(\"235 2.7.0 you again\")", "235 2.7.0 you again", true, false, Fate::GoOn},
      {Stage::Authenticate, "faccept()", kGood, true, false, Fate::GoOn},
      {Stage::Authenticate, "deny()", kBad, false, true, Fate::Drop},
      {Stage::Authenticate, "deny(\"535 5.7.8 no\")", "535 5.7.8 no", false, true, Fate::Drop},
      {Stage::Authenticate, "info(\"454 4.7.0 later\")", "454 4.7.0 later", false, false, Fate::GoOn},
      {Stage::Mail, "next()", "", true, false, Fate::GoOn},
      {Stage::Mail, "accept(\"250 2.1.0 you\")", "250 2.1.0 you", true, false, Fate::GoOn},
      {Stage::Mail, "faccept(\"250 2.1.0 you\")", "250 2.1.0 you", true, false, Fate::GoOn},
      {Stage::Mail, "deny()", kDenied, false, true, Fate::Drop},
      {Stage::Mail, "info(\"450 later\")", "450 later", false, false, Fate::GoOn},
      {Stage::Mail, "quarantine(\"x\")", "", true, false, Fate::GoOn},
      {Stage::Rcpt, "accept(\"251 forwarding\")", "251 forwarding", true, false, Fate::GoOn},
      {Stage::Rcpt, "deny(\"550 5.1.1 no\")", "550 5.1.1 no", false, true, Fate::Drop},
      {Stage::Rcpt, "info(\"550 5.1.1 no\")", "550 5.1.1 no", false, false, Fate::GoOn},
      {Stage::Rcpt, "quarantine(\"x\")", "", true, false, Fate::GoOn},
      {Stage::Data, "deny()", kDenied, false, true, Fate::Drop},
      {Stage::Data, "info(\"451 later\")", "451 later", false, false, Fate::GoOn},
      {Stage::Preq, "next()", "", true, false, Fate::GoOn},
      {Stage::Preq, "accept(\"250 2.0.0 thanks\")", "250 2.0.0 thanks", true, false, Fate::GoOn},
      {Stage::Preq, "faccept(\"250 2.0.0 thanks\")", "", true, false, Fate::Deliver},
      {Stage::Preq, "deny()", kDenied, false, true, Fate::Drop},
      {Stage::Preq, "deny(\"554 5.7.1 spam\")", "554 5.7.1 spam", false, true, Fate::Drop},
      {Stage::Preq, "info(\"451 4.7.0 later\")", "451 4.7.0 later", false, false, Fate::Drop},
      {Stage::Preq, "quarantine(\"x\")", "", true, false, Fate::Quarantine},
      {Stage::Postq, "next()", "", true, false, Fate::GoOn},
      {Stage::Postq, "accept()", "", true, false, Fate::GoOn},
      {Stage::Postq, "faccept()", "", true, false, Fate::Deliver},
      {Stage::Postq, "deny()", "", true, false, Fate::Dead},
      {Stage::Postq, "info(\"450 x\")", "", true, false, Fate::GoOn},
      {Stage::Postq, "quarantine(\"x\")", "", true, false, Fate::Quarantine},
      {Stage::Delivery, "next()", "", true, false, Fate::GoOn},
      {Stage::Delivery, "faccept()", "", true, false, Fate::GoOn},
      {Stage::Delivery, "deny()", "", true, false, Fate::Dead},
      {Stage::Delivery, "info(\"450 x\")", "", true, false, Fate::GoOn},
      {Stage::Delivery, "quarantine(\"x\")", "", true, false, Fate::Quarantine},
  };
  for (const Row& row : kRows) {
    CAPTURE(std::string(name_of(row.stage)));
    CAPTURE(std::string(row.status));
    const auto rules = load("#{ " + std::string(name_of(row.stage)) + ": [ rule \"a\" || " + row.status + " ] }");
    Session transaction = session(row.stage);
    const auto effect = effect_of(row.stage, run_stage(*rules, transaction, row.stage), true);
    CHECK((effect.reply ? effect.reply->words() : "") == row.reply);
    CHECK(effect.advances == row.advances);
    CHECK(effect.closes == row.closes);
    CHECK(effect.fate == row.fate);
  }
}

TEST_CASE("rules 2.4: how long a status lasts") {
  struct Row {
    const char* status;
    bool lasts;
  };
  for (const Row& row : {Row{"faccept()", true}, {"quarantine(\"x\")", true}, {"deny()", true}, {"accept()", false}, {"info(\"450 x\")", false}, {"next()", false}}) {
    CAPTURE(std::string(row.status));
    const std::string status(row.status);
    for (const Stage stage : {Stage::Connect, Stage::Helo, Stage::Mail, Stage::Rcpt}) {
      CAPTURE(std::string(name_of(stage)));
      const auto rules = load("#{ " + std::string(name_of(stage)) + ": [ rule \"a\" || " + status + " ], preq: [ rule \"b\" || deny(\"554 ran\") ] }");
      Session transaction = session(Stage::Preq);
      run_stage(*rules, transaction, stage);
      CHECK(run_stage(*rules, transaction, Stage::Preq).was_skipped == row.lasts);
      // RSET and the next message.
      transaction.reset();
      transaction.mail("x@y.example", "ID2", {});
      transaction.rcpt("bob@own.example", {});
      REQUIRE(transaction.message(base::Blob::of_octets(std::string(testing::kMessage))));
      CHECK(run_stage(*rules, transaction, Stage::Preq).was_skipped == (row.lasts && stage < Stage::Mail));
    }
  }
}

TEST_CASE("rules C: failures are the safe default, logged with stage, directive and place") {
  std::vector<std::string> log;
  const auto rules = load("#{ connect: [ rule \"early\" || {\n  message_id(); next() } ],\n  postq: [ rule \"late\" || throw \"broken\" ],\n  mail: [ rule \"loops\" || { loop {} } ] }",
                          testing::site(&log));
  REQUIRE(rules->is_usable());
  Session transaction = session(Stage::Connect);
  const StageResult early = run_stage(*rules, transaction, Stage::Connect);
  CHECK(early.status.kind == Skip::Kind::Deny);
  CHECK(early.directive == "early");
  REQUIRE_FALSE(log.empty());
  CHECK(has(early.failure, "stage 'connect' skipped => rule engine failed in 'early': test.vsl:2:3: the field: `message_id` is not defined yet, it only is available from the `mail` stage"));
  CHECK(log.front() == "error " + early.failure);

  Session later = session(Stage::Postq);
  const StageResult late = run_stage(*rules, later, Stage::Postq);
  CHECK(late.is_deferred);
  CHECK(has(late.failure, "Runtime error: broken"));
  CHECK(effect_of(Stage::Postq, late, true).fate == Fate::Defer);
  CHECK_FALSE(later.skip().finishes());  // at the next attempt its rules run again

  Session endless = session(Stage::Mail);
  const StageResult loops = run_stage(*rules, endless, Stage::Mail);
  CHECK(loops.is_deferred);
  CHECK(has(loops.failure, "Too many operations"));
  CHECK(effect_of(Stage::Mail, loops, true).reply->words() == "451 Requested action aborted: local error in processing");
}

TEST_CASE("rules C: the setting rules.on_error") {
  const char* script = "#{ mail: [ rule \"broken\" || throw 1, rule \"next\" || accept() ] }";
  struct Row { const char* choice; const char* expected; };
  for (const Row& row : {Row{"deny", "deny 554 permanent problems with the remote server"}, Row{"tempfail", "deny 451 Requested action aborted: local error in processing"},
                         Row{"next", "accept"}}) {
    Session transaction = session(Stage::Mail);
    CHECK(testing::run(*load(script, testing::site(nullptr, {{"rules.on_error", row.choice}})), transaction, Stage::Mail) == row.expected);
  }
}

TEST_CASE("rules C: mistakes that are told when the rules are loaded") {
  struct Row { const char* script; const char* error; };
  const Row kRows[] = {
      {"#{ nosuch: [] }", "1:4: error: the 'nosuch' smtp stage does not exist."},
      {"#{ mail: 5 }", "1:10: error: the stage 'mail' must be declared using the array syntax"},
      {"let a = 5; #{ mail: a }", "the stage 'mail' must be declared using the array syntax"},
      {"#{ mail: [ rule \"a\" || next(), rule \"a\" || next() ] }", "error: found duplicate rule 'a': a rule must have a unique name"},
      {"#{ preq: [ delegate 5 \"d\" || next() ] }", "invalid delegation 'd' in stage 'preq': delegation directives are available from the 'postq' stage and onwards."},
      {"#{ postq: [ delegate 5 \"d\" || next() ] }", "the field after the 'delegate' keyword in the directive 'd' in stage 'postq' must be a smtp service"},
      {"#{ mail: [ 5 ] }", "an element in stage 'mail' is no directive"},
      {"5", "the rules must end in a map of stages, not in a value of type i64"},
      {"#{ mail: [ #{ name: \"x\", type: \"rule\" } ] }", "the directive 'x' in stage 'mail' does not have an evaluation function"},
      {"#{ mail: [], mail_from: [ rule \"a\" || next() ], on_mail_from: [ rule \"b\" || next() ] }", "the stage 'mail' is there twice"},
      {"client_ip(); #{}", "cannot be used while the rules are being loaded"},
      {"\nobject bad ip4 = \"300.1.1.1\"; #{}", "2:18: error: '300.1.1.1' is not a valid IPv4 address."},                       // O5
      {"object a address = \"no\"; #{}", "'no' is not a valid address: "},
      {"object a regex = \"(\"; #{}", "missing"},
      {"#{ mail: [ rule \"a\" || if helo() in regex(\"(\") { deny() } else { next() } ] }", "bad regular expression: "},
      {"object a fqdn = \"a b\"; #{}", "'a b' is not a valid fqdn."},
      {"object c code = #{ code: 554 }; #{}", "code object c is missing the 'text' key."},
      {"object g group = [ 5 ]; #{}", "the element '5' inside the 'g' group is not an object"},
      {"object g nosuch = \"x\"; #{}", "Improper object type 'nosuch'."},
      {"#{ mail: [ rule \"a\" || acept() ] }", "acept"},
  };
  for (const Row& row : kRows) {
    CAPTURE(std::string(row.script));
    CHECK(has(first_error(row.script), row.error));
  }
  CHECK(load("#{}")->is_usable());
}

TEST_CASE("rules C: warnings") {
  struct Row { const char* script; const char* warning; };
  const Row kRows[] = {
      {"#{ helo: [ action \"a\" || if helo() == \"x\" { deny() } ] }", "the status of an action is ignored"},
      {"#{ helo: [ rule \"a\" || if helo() == \"x\" { accept() } ] }", "the rule 'a' has no status here"},
      {"#{ helo: [ rule \"a\" || { set_header(\"a\", \"b\"); let x = 5; } ] }", "the rule 'a' has no status here"},
      {"#{ connect: [ rule \"a\" || if helo() == \"x\" { accept() } else { next() } ] }", "`helo` cannot be used in stage `connect`: it is available from `helo` on"},
      {"fn who() { mail_from() }\n#{ helo: [ rule \"a\" || if who() == \"x\" { accept() } else { next() } ] }", "2:27: warning: `mail_from` cannot be used in stage `helo`"},
      {"#{ helo: [ rule \"a\" || if ctx().mail_from == \"x\" { deny() } else { next() } ] }", "`mail_from` cannot be used in stage `helo`"},
      {"service db db:sqlite = #{ path: \":memory:\" };\n#{ mail: [ rule \"a\" || { db.query(`select ${helo()}`); next() } ] }", "values are written into SQL"},
      {"#{ mail: [ rule \"a\" || deny(), rule \"b\" || next() ] }", "this directive is never reached"},
      {"#{ mail: [ rule \"a\" || next() ], rcpt: [ rule \"a\" || next() ] }", "the name 'a' is that of a directive of stage 'mail' too"},
      {"#{ mail: [ rule \"a\" || vsl::deny() ] }", "`vsl::deny` is a spelling of v0"},
      {"object a ip4 = \"10.0.0.1\"; object b fqdn = \"x.example\"; #{ mail: [ rule \"a\" || if a == b { deny() } else { next() } ] }", "an ip4 object never equals a fqdn object"},
  };
  for (const Row& row : kRows) {
    CAPTURE(std::string(row.script));
    const auto rules = load(row.script);
    CHECK(has(testing::mistakes(*rules), row.warning));
    CHECK(rules->is_usable());
  }
  for (const char* fine : {"#{ mail: [ rule \"a\" || { if true == true { return deny(); } accept() }, rule \"b\" || next() ] }",
                           "#{ mail: [ action \"a\" || quarantine(\"x\") ] }",
                           "#{ mail: [ rule \"a\" || { try { return accept(); } catch { return deny(); } } ] }",
                           "#{ preq: [ rule \"a\" || switch get_header(\"x\") { \"1\" => accept(), _ => next() } ] }"}) {
    CAPTURE(fine);
    CHECK(testing::mistakes(*load(fine)).empty());
  }
}

TEST_CASE("rules O: objects and comparisons") {
  const std::string objects = R"(
      object lan group = [ object a rg4 = "192.0.2.0/24", object b ip6 = "2001:db8::1" ];
      object d fqdn = "client.example"; object i identifier = "ann"; object r regex = "@client\\."; object o address = "bo@client.example";
      object x ip4 = "10.0.0.1"; object c code = "554 5.7.1 no"; object s string = "abc"; object q address = "z@gate.example";)";
  struct Row { const char* name; Stage stage; const char* question; const char* answer; };
  const Row kRows[] = {
      {"O1", Stage::Connect, "client_ip() in global::lan", "true"},
      {"O2", Stage::Mail, R"(mail_from() == global::d && global::d == mail_from() && mail_from() is global::i && mail_from() is global::r && mail_from() not global::o)", "true"},
      {"O2", Stage::Mail, R"(mail_from() == "ann@client.example" && "ann@CLIENT.example" == mail_from())", "true"},
      {"O2 regex on the left", Stage::Mail, "global::r == mail_from()", "true"},
      {"O3", Stage::Connect, R"(global::x == "10.0.0.1" && global::x != "10.0.0.2" && global::x in net_10 && !(global::x in net_192) && global::x in non_routable_net)", "true"},
      {"O4", Stage::Rcpt, R"((object n identifier = "eve") in rcpt_list().local_parts && (object f fqdn = "own.example") in rcpt_list().domains)", "true"},
      {"O4", Stage::Rcpt, R"("bob@own.example" in rcpt_list() && "x" !in rcpt_list() && "own.example" !in rcpt_list())", "true"},
      {"O4", Stage::Rcpt, "rcpt() == \"eve@else.example\"", "true"},
      {"O6", Stage::Connect, "global::c.to_string()", "554 5.7.1 no"},
      {"O8", Stage::Connect, "type_of(global::s)", "string"},
      {"O8", Stage::Connect, "type_of(global::x) + \" \" + type_of(next())", "object status"},
      {"O10", Stage::Connect, R"(in_domain("own.example") && in_domain(global::q) && !in_domain("x.own.example") && !in_domain(5))", "true"},
      {"parts", Stage::Mail, "mail_from().local_part + \" \" + mail_from().domain", "ann client.example"},
      {"no part", Stage::Mail, "try_it(|| global::x.domain)", "cannot extract domain for ip4 object"},
      {"v2", Stage::Connect, "client_ip() in [ ip4(\"192.0.2.10\") ] && ip4(\"192.0.2.10\") in [ rg4(\"192.0.2.0/28\") ]", "true"},
      {"v2", Stage::Connect, "code(554, \"5.7.1\", \"no\") == global::c && code::c554_7_1() == code554_7_1", "true"},
      {"text and group", Stage::Connect, "try_it(|| \"x\" == [global::lan][0])", "a group object cannot be compared to a string"},
      {"range", Stage::Connect, "rg4(\"192.0.2.0/28\") in global::lan && rg4(\"192.0.0.0/16\") !in global::lan", "true"},
      {"map", Stage::Connect, "global::d in #{ \"client.example\": 1 }", "true"},
      {"address", Stage::Mail, "global::d in mail_from() && \"ann\" in mail_from() && \"x\" !in mail_from()", "true"},
      {"unit", Stage::Connect, "global::d == ()", "false"},
      {"handles", Stage::Mail, "ctx().mail_from.domain + \" \" + ctx().client_ip + \" \" + ctx().helo + \" \" + ctx::helo() + \" \" + ctx()", "client.example 192.0.2.10 mx.client.example mx.client.example MailContext"},
      {"toml", Stage::Connect, "`${toml::server.domain} ${toml::server.smtp.rcpt_count_max} ${\"own.example\" in toml::server.virtual} ${toml::server.tls == ()} ${cfg::queue.retry_min}`",
       "gate.example 1000 true true 5m"},
  };
  const std::string try_it = "fn try_it(f) { try { return f.call(); } catch (e) { return e; } }";
  for (const Row& row : kRows) {
    CAPTURE(std::string(row.name));
    CAPTURE(std::string(row.question));
    Session transaction = session(row.stage, {"bob@own.example", "eve@else.example"});
    CHECK(ask(row.stage, objects + try_it, row.question, transaction) == std::string(row.answer));
  }
  Session other = session(Stage::Connect);
  other.connection.client_ip = "198.51.100.7";
  CHECK(ask(Stage::Connect, objects, "client_ip() in global::lan", other) == "false");
  Session third = session(Stage::Connect);
  third.connection.client_ip = "2001:DB8:0::1";
  CHECK(ask(Stage::Connect, objects, "client_ip() in global::lan", third) == "true");
  // O7: told when the rules are loaded.
  CHECK(has(ask(Stage::Connect, "", "(object a address = \"a@b.example\") in (object c address = \"c@d.example\")", other),
            "cannot look for a 'address' object in a 'address' object"));
}

TEST_CASE("rules O9: lists from files") {
  const std::string path = "/tmp/vsmtp-object-list-" + std::to_string(::getpid());
  std::ofstream(path) << "a@x.example\r\n\n# note\n  b@x.example \n";
  Session transaction = session(Stage::Connect);
  CHECK(ask(Stage::Connect, "object file file:address = \"" + path + "\";", "\"b@x.example\" in global::file && global::file.len == 2", transaction) == "true");
  std::ofstream(path) << "a@x.example\nno address\n";
  CHECK(has(ask(Stage::Connect, "object file file:address = \"" + path + "\";", "true", transaction), path + ":2:1: 'no address' is not a valid address"));
  // All bad lines, each with its place; at most as many as there are diagnostics.
  {
    std::ofstream file(path);
    file << "bad\na@x.example\r\n  worse\n";
    for (int i = 0; i < 200; ++i) file << "bad" << i << "\n";
  }
  for (const auto* type : {"address", "rg4"}) {
    CAPTURE(std::string(type));
    const auto rules = testing::load("object file file:" + std::string(type) + " = \"" + path + "\";\n#{}");
    const auto& all = rules->diagnostics().all();
    REQUIRE(all.size() == vsl::Diagnostics::kMostKept);
    CHECK(all[0].message.starts_with(path + ":1:1: 'bad' is not a valid "));
    CHECK(rules->sources().locate(all[1].span).line == 1);
    CHECK(std::ranges::any_of(all, [&](const auto& each) { return each.message.starts_with(path + ":3:3: 'worse' is not a valid "); }));
  }
  // Ten thousand names: found by their hash, not one by one.
  {
    std::ofstream file(path);
    for (int i = 0; i < 10'000; ++i) file << "host" << i << ".example.org\n";
  }
  CHECK(ask(Stage::Connect, "object file file:fqdn = \"" + path + "\";",
            "\"HOST9999.example.org.\" in global::file && \"host10000.example.org\" !in global::file && address(\"x@host5000.example.org\") in global::file", transaction) == "true");
  std::remove(path.c_str());
}
