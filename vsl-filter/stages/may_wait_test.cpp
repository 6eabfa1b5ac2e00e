// Which rules a resident program may run in its loop.
#include <doctest/doctest.h>

#include "vsl-filter/stages/testing.h"

using rules::testing::load;

namespace {

bool may_wait(const std::string& text) {
  const auto rules = load(text);
  REQUIRE_MESSAGE(rules->is_usable(), rules::testing::mistakes(*rules));
  return rules->may_wait();
}

// Rules whose action is this.
std::string action(const std::string& code, const std::string& declarations = {}) { return declarations + "\n#{ mail: [ action \"a\" || { " + code + " } ] }"; }

}  // namespace

TEST_CASE("rules that wait for nothing are known") {
  CHECK_FALSE(may_wait(action("append_header(\"A\", \"b\"); let m = #{}; m.set(\"run\", 1); m.get(\"run\"); log(\"info\", \"sent\")")));
  CHECK_FALSE(may_wait(action("if mail_from().domain in listed { header::addresses(\"From\"); }", "object listed group = [ fqdn(\"a.example\") ];")));
  CHECK_FALSE(may_wait("fn on_mail_from(ctx) { ctx.run([]) }"));
}

TEST_CASE("rules that may wait are known, whatever way they call") {
  CHECK(may_wait(action("let a = lookup(\"a.example\");")));
  CHECK(may_wait(action("let a = dns::mx(\"a.example\");")));
  CHECK(may_wait(action("let f = |x| ctx().rlookup(x); f.call(\"192.0.2.1\")")));
  CHECK(may_wait(action("let a = [\"a.example\"].map(\"lookup\");")));
  CHECK(may_wait(action("let f = Fn(\"lookup\"); f.call(\"a.example\")")));
  CHECK(may_wait(action("helper()", "fn helper() { write(\"folder\") }")));
  CHECK(may_wait(action("let a = user_exist(\"root\");")));
  CHECK(may_wait(action("let a = check_mail_relay([\"192.0.2.1\"]);")));
  CHECK(may_wait(action("p.run()", "service p cmd = #{ command: \"true\" };")));
  CHECK(may_wait(action("let a = process::run(#{ args: [\"true\"] });")));
  CHECK(may_wait(action("let p = cmd::build(#{ command: \"true\" }); p.run()")));
}
