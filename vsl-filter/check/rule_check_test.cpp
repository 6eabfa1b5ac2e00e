// What `vsl-filter --check` prints, whole: place, line, caret, what would be right (vsl.md 5.4). Each list of static checks has its test.
#include <doctest/doctest.h>

#include "vsl-filter/stages/testing.h"

using namespace rules;

namespace {

struct Row {
  const char* script;
  const char* told;
};

void check(std::span<const Row> rows) {
  for (const Row& row : rows) {
    CAPTURE(std::string(row.script));
    const auto rules = testing::load(row.script);
    CHECK(vsl::render(rules->diagnostics(), rules->sources()) == std::string(row.told));
  }
}

}  // namespace

TEST_CASE("check: unknown functions, arity, argument kinds") {
  const Row kRows[] = {
      {R"V(#{ mail: [ rule "a" || acept() ] })V",
       R"V(test.vsl:1:24: error: Function not found: acept
   1 | #{ mail: [ rule "a" || acept() ] }
     |                        ^~~~~
     = help: did you mean `accept`?
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || helo(1, 2, 3) ] })V",
       R"V(test.vsl:1:24: error: Function not found: helo with 3 arguments
   1 | #{ mail: [ rule "a" || helo(1, 2, 3) ] }
     |                        ^~~~
     = help: `helo` takes 0 or 1 arguments
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || deny("554 x", 2) ] })V",
       R"V(test.vsl:1:24: error: no function `deny` takes (string, i64)
   1 | #{ mail: [ rule "a" || deny("554 x", 2) ] }
     |                        ^~~~
     = help: there are: deny(), deny(any)
1 error
)V"},
      {R"V(#{ preq: [ rule "a" || { get_headers("a", "b"); next() } ] })V",
       R"V(test.vsl:1:26: error: no function `get_headers` takes (string, string)
   1 | #{ preq: [ rule "a" || { get_headers("a", "b"); next() } ] }
     |                          ^~~~~~~~~~~
     = help: there are: get_headers(any, i64)
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || { rate::limit("x", "y", 2) } ] })V",
       R"V(test.vsl:1:32: error: no function `rate::limit` takes (string, string, i64)
   1 | #{ mail: [ rule "a" || { rate::limit("x", "y", 2) } ] }
     |                                ^~~~~
     = help: there are: rate::limit(any, i64, i64), rate::limit(any, i64, i64, any)
1 error
)V"},
  };
  check(kRows);
}

TEST_CASE("check: statuses that nobody sees") {
  const Row kRows[] = {
      {R"V(#{ mail: [ rule "a" || { deny("554 x"); next() } ] })V",
       R"V(test.vsl:1:26: warning: the result of `deny` is thrown away
   1 | #{ mail: [ rule "a" || { deny("554 x"); next() } ] }
     |                          ^~~~~~~~~~~~~
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || { if helo() == "x" { deny() } next() } ] })V",
       R"V(test.vsl:1:45: warning: the status of `deny` is thrown away: the rule goes on behind it
   1 | #{ mail: [ rule "a" || { if helo() == "x" { deny() } next() } ] }
     |                                             ^~~~~~
     = help: to end here: return deny(...)
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || { quarantine("x"); next() } ] })V",
       R"V(test.vsl:1:26: warning: the status of `quarantine` is thrown away: the rule goes on behind it
   1 | #{ mail: [ rule "a" || { quarantine("x"); next() } ] }
     |                          ^~~~~~~~~~~~~~~
     = help: to end here: return quarantine(...)
1 warning
)V"},
      {R"V(#{ mail: [ action "a" || check_mail_relay([]) ] })V",
       R"V(test.vsl:1:26: warning: the status of an action is ignored
   1 | #{ mail: [ action "a" || check_mail_relay([]) ] }
     |                          ^~~~~~~~~~~~~~~~~~~~
     = help: a directive that decides is a rule: rule "a" ...
1 warning
)V"},
      {R"V(#{ mail: [ action "a" || { if helo()=="x" { return deny(); } set_header("a","b") } ] })V",
       R"V(test.vsl:1:52: warning: the status of an action is ignored
   1 | #{ mail: [ action "a" || { if helo()=="x" { return deny(); } set_header("a","b") } ] }
     |                                                    ^~~~~~
     = help: a directive that decides is a rule: rule "a" ...
1 warning
)V"},
      {R"V(fn judge() { if helo() == "x" { deny() } next() }
#{ mail: [ rule "a" || judge() ] })V",
       R"V(test.vsl:1:33: warning: the status of `deny` is thrown away: the function goes on behind it
   1 | fn judge() { if helo() == "x" { deny() } next() }
     |                                 ^~~~~~
     = help: to end here: return deny(...)
1 warning
)V"},
      {R"V(#{ mail: [ action "a" || { quarantine("x"); } ] })V",
       ""},
      {R"V(#{ mail: [ rule "a" || { for x in ["a"] { if x == helo() { deny() } } next() } ] })V",
       R"V(test.vsl:1:60: warning: the status of `deny` is thrown away: the rule goes on behind it
   1 | #{ mail: [ rule "a" || { for x in ["a"] { if x == helo() { deny() } } next() } ] }
     |                                                            ^~~~~~
     = help: to end here: return deny(...)
1 warning
)V"},
  };
  check(kRows);
}

TEST_CASE("check: rules with a path that has no status") {
  const Row kRows[] = {
      {R"V(#{ helo: [ rule "a" || if helo() == "x" { accept() } ] })V",
       R"V(test.vsl:1:24: warning: the rule 'a' has no status here: it fails, and the mail is refused
   1 | #{ helo: [ rule "a" || if helo() == "x" { accept() } ] }
     |                        ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~
     = help: add: else { next() }
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || switch helo() { "x" => deny() } ] })V",
       R"V(test.vsl:1:24: warning: the rule 'a' has no status here: it fails, and the mail is refused
   1 | #{ mail: [ rule "a" || switch helo() { "x" => deny() } ] }
     |                        ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
     = help: add: _ => next()
1 warning
)V"},
      {R"V(#{ helo: [ rule "a" || switch is_secured() { true => next(), false => deny() } ] })V",
       ""},
      {R"V(#{ mail: [ rule "a" || { for x in [1] { } } ] })V",
       R"V(test.vsl:1:26: warning: the rule 'a' has no status here: it fails, and the mail is refused
   1 | #{ mail: [ rule "a" || { for x in [1] { } } ] }
     |                          ^~~~~~~~~~~~~~~~
     = help: let it end with a status, such as next()
1 warning
)V"},
      {R"V(#{ preq: [ rule "a" || set_header("a","b") ] })V",
       R"V(test.vsl:1:24: warning: the rule 'a' has no status here: it fails, and the mail is refused
   1 | #{ preq: [ rule "a" || set_header("a","b") ] }
     |                        ^~~~~~~~~~~~~~~~~~~
     = help: let it end with a status, such as next()
1 warning
)V"},
      {R"V(fn f() { 5 }
#{ preq: [ rule "a" || f() ] })V",
       R"V(test.vsl:2:24: warning: the rule 'a' has no status here: it fails, and the mail is refused
   2 | #{ preq: [ rule "a" || f() ] }
     |                        ^~~
     = help: let it end with a status, such as next()
1 warning
)V"},
      {R"V(#{ helo: [ rule "a" || loop { break next(); } ] })V",
       ""},
  };
  check(kRows);
}

TEST_CASE("check: stages") {
  const Row kRows[] = {
      {R"V(#{ connect: [ rule "a" || if mail_from().domain == "x" { deny() } else { next() } ] })V",
       R"V(test.vsl:1:30: warning: `mail_from` cannot be used in stage `connect`: it is available from `mail` on
   1 | #{ connect: [ rule "a" || if mail_from().domain == "x" { deny() } else { next() } ] }
     |                              ^~~~~~~~~
1 warning
)V"},
      {R"V(#{ connect: [ rule "a" || if ctx().mail_from == "x" { deny() } else { next() } ] })V",
       R"V(test.vsl:1:36: warning: `mail_from` cannot be used in stage `connect`: it is available from `mail` on
   1 | #{ connect: [ rule "a" || if ctx().mail_from == "x" { deny() } else { next() } ] }
     |                                    ^~~~~~~~~
1 warning
)V"},
      {R"V(#{ connect: [ rule "a" |ctx| if ctx.mail_from == "x" { deny() } else { next() } ] })V",
       R"V(test.vsl:1:37: warning: `mail_from` cannot be used in stage `connect`: it is available from `mail` on
   1 | #{ connect: [ rule "a" |ctx| if ctx.mail_from == "x" { deny() } else { next() } ] }
     |                                     ^~~~~~~~~
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || packet("x") ] })V",
       R"V(test.vsl:1:24: warning: `packet` cannot be used in stage `mail`: it is available in `authenticate`
   1 | #{ mail: [ rule "a" || packet("x") ] }
     |                        ^~~~~~
1 warning
)V"},
      {R"V(#{ preq: [ rule "a" || check_rcpt_relay([]) ] })V",
       R"V(test.vsl:1:24: warning: `check_rcpt_relay` cannot be used in stage `preq`: it is available in `rcpt`
   1 | #{ preq: [ rule "a" || check_rcpt_relay([]) ] }
     |                        ^~~~~~~~~~~~~~~~
1 warning
)V"},
      {R"V(#{ authenticate: [ rule "a" || quarantine("x") ] })V",
       R"V(test.vsl:1:32: warning: `quarantine` cannot be used in stage `authenticate`: it is available in connect, helo, mail, rcpt, data, preq, postq, delivery
   1 | #{ authenticate: [ rule "a" || quarantine("x") ] }
     |                                ^~~~~~~~~~
1 warning
)V"},
      {R"V(fn who() { mail_from() }
#{ helo: [ rule "a" || if who() == "x" { accept() } else { next() } ] })V",
       R"V(test.vsl:2:27: warning: `mail_from` cannot be used in stage `helo`: it is available from `mail` on
   2 | #{ helo: [ rule "a" || if who() == "x" { accept() } else { next() } ] }
     |                           ^~~~~
test.vsl:1:12: note: this function uses it here
   1 | fn who() { mail_from() }
     |            ^~~~~~~~~
1 warning
)V"},
  };
  check(kRows);
}

TEST_CASE("check: comparisons") {
  const Row kRows[] = {
      {R"V(#{ mail: [ rule "a" || if mail_from() == 5 { deny() } else { next() } ] })V",
       R"V(test.vsl:1:39: warning: an address object never equals a number
   1 | #{ mail: [ rule "a" || if mail_from() == 5 { deny() } else { next() } ] }
     |                                       ^~
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || if client_port() == "25" { deny() } else { next() } ] })V",
       R"V(test.vsl:1:41: warning: a number never equals a string
   1 | #{ mail: [ rule "a" || if client_port() == "25" { deny() } else { next() } ] }
     |                                         ^~
1 warning
)V"},
      {R"V(object a address = "x@y.example";
#{ mail: [ rule "a" || if (object i ip4 = "10.0.0.1") in a { deny() } else { next() } ] })V",
       R"V(test.vsl:2:55: error: cannot look for a 'ip4' object in a 'address' object
   2 | #{ mail: [ rule "a" || if (object i ip4 = "10.0.0.1") in a { deny() } else { next() } ] }
     |                                                       ^~
     = help: it may hold: string fqdn identifier
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || if "x" in code554_7_1 { deny() } else { next() } ] })V",
       R"V(test.vsl:1:31: error: cannot look for a 'string' object in a 'code' object
   1 | #{ mail: [ rule "a" || if "x" in code554_7_1 { deny() } else { next() } ] }
     |                               ^~
     = help: use == to compare with it
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || if "x" == code554_7_1 { deny() } else { next() } ] })V",
       R"V(test.vsl:1:31: error: a code object cannot be compared to a string
   1 | #{ mail: [ rule "a" || if "x" == code554_7_1 { deny() } else { next() } ] }
     |                               ^~
     = help: compare the text: CODE.to_string() == TEXT
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || if deny() == "deny" { deny() } else { next() } ] })V",
       R"V(test.vsl:1:34: warning: a status never equals a string
   1 | #{ mail: [ rule "a" || if deny() == "deny" { deny() } else { next() } ] }
     |                                  ^~
1 warning
)V"},
      {R"V(object a ip4 = "10.0.0.1"; object b fqdn = "x.example";
#{ mail: [ rule "a" || if a == b { deny() } else { next() } ] })V",
       R"V(test.vsl:2:29: warning: an ip4 object never equals a fqdn object
   2 | #{ mail: [ rule "a" || if a == b { deny() } else { next() } ] }
     |                             ^~
1 warning
)V"},
  };
  check(kRows);
}

TEST_CASE("check: directives that are never reached") {
  const Row kRows[] = {
      {R"V(#{ mail: [ rule "a" || state::deny(), action "b" || log("info","x") ] })V",
       R"V(test.vsl:1:46: warning: this directive is never reached
   1 | #{ mail: [ rule "a" || state::deny(), action "b" || log("info","x") ] }
     |                                              ^~~
test.vsl:1:17: note: this rule always ends the stage
   1 | #{ mail: [ rule "a" || state::deny(), action "b" || log("info","x") ] }
     |                 ^~~
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || if helo()=="x" { accept() } else { deny() }, rule "b" || next() ] })V",
       R"V(test.vsl:1:74: warning: this directive is never reached
   1 | #{ mail: [ rule "a" || if helo()=="x" { accept() } else { deny() }, rule "b" || next() ] }
     |                                                                          ^~~
test.vsl:1:17: note: this rule always ends the stage
   1 | #{ mail: [ rule "a" || if helo()=="x" { accept() } else { deny() }, rule "b" || next() ] }
     |                 ^~~
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || { if helo() == "x" { return next(); } deny() }, rule "b" || next() ] })V",
       ""},
  };
  check(kRows);
}

TEST_CASE("check: delegates, duplicated names") {
  const Row kRows[] = {
      {R"V(service s cmd = #{command: "x"};
#{ helo: [ delegate s "d" || next() ] })V",
       R"V(test.vsl:2:12: error: invalid delegation 'd' in stage 'helo': delegation directives are available from the 'postq' stage and onwards.
   2 | #{ helo: [ delegate s "d" || next() ] }
     |            ^~~~~~~~~~~~~~~~~~~~~~~~
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || next(), action "a" || () ] })V",
       R"V(test.vsl:1:39: error: found duplicate rule 'a': a rule must have a unique name
   1 | #{ mail: [ rule "a" || next(), action "a" || () ] }
     |                                       ^~~
test.vsl:1:17: note: the first one is here
   1 | #{ mail: [ rule "a" || next(), action "a" || () ] }
     |                 ^~~
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || next() ], rcpt: [ rule "a" || next() ] })V",
       R"V(test.vsl:1:47: warning: the name 'a' is that of a directive of stage 'mail' too
   1 | #{ mail: [ rule "a" || next() ], rcpt: [ rule "a" || next() ] }
     |                                               ^~~
test.vsl:1:17: note: which is here
   1 | #{ mail: [ rule "a" || next() ], rcpt: [ rule "a" || next() ] }
     |                 ^~~
1 warning
)V"},
  };
  check(kRows);
}

TEST_CASE("check: SQL") {
  const Row kRows[] = {
      {R"V(service db db:sqlite = #{ path: ":memory:" };
#{ mail: [ rule "a" || { db.query("select " + helo()); next() } ] })V",
       R"V(test.vsl:2:35: warning: values are written into SQL: an address can change what it does
   2 | #{ mail: [ rule "a" || { db.query("select " + helo()); next() } ] }
     |                                   ^~~~~~~~~~~~~~~~~~
     = help: use place-holders: query("select * from t where a = ?", [value])
1 warning
)V"},
      {R"V(service db db:sqlite = #{ path: ":memory:" };
#{ mail: [ rule "a" || { let q = `select ${helo()}`; db.query(q); next() } ] })V",
       R"V(test.vsl:2:63: warning: values are written into SQL: an address can change what it does
   2 | #{ mail: [ rule "a" || { let q = `select ${helo()}`; db.query(q); next() } ] }
     |                                                               ^
     = help: use place-holders: query("select * from t where a = ?", [value])
1 warning
)V"},
      {R"V(service db db:sqlite = #{ path: ":memory:" };
#{ mail: [ rule "a" || { db.query("select 1 " + "from t"); next() } ] })V",
       ""},
      {R"V(service db db:sqlite = #{ path: ":memory:" };
#{ mail: [ rule "a" || { db.query("select ?", [helo()]); next() } ] })V",
       ""},
      {R"V(service db db:sqlite = #{ path: ":memory:" };
#{ mail: [ rule "a" || { let q = "select "; q += helo(); db.query(q); next() } ] })V",
       R"V(test.vsl:2:67: warning: values are written into SQL: an address can change what it does
   2 | #{ mail: [ rule "a" || { let q = "select "; q += helo(); db.query(q); next() } ] }
     |                                                                   ^
     = help: use place-holders: query("select * from t where a = ?", [value])
1 warning
)V"},
  };
  check(kRows);
}

TEST_CASE("check: regexes") {
  const Row kRows[] = {
      {R"V(object r regex = "(?=x)";
#{})V",
       R"V(test.vsl:1:18: error: '(?=x)' is not a valid regex: invalid perl operator: (?=
   1 | object r regex = "(?=x)";
     |                  ^~~~~~~
1 error
)V"},
      {R"V(const r = regex("a{2,1}");
#{})V",
       R"V(test.vsl:1:17: error: bad regular expression: invalid repetition size: {2,1}
   1 | const r = regex("a{2,1}");
     |                 ^~~~~~~~
1 error
)V"},
      {R"V(#{ mail: [ rule "a" || if helo().is_match("(") { deny() } else { next() } ] })V",
       R"V(test.vsl:1:43: error: bad regular expression: missing ): (
   1 | #{ mail: [ rule "a" || if helo().is_match("(") { deny() } else { next() } ] }
     |                                           ^~~
1 error
)V"},
      {R"V(#{ preq: [ rule "a" || if mime::has_attachment("(") { deny() } else { next() } ] })V",
       R"V(test.vsl:1:48: error: bad regular expression: missing ): (
   1 | #{ preq: [ rule "a" || if mime::has_attachment("(") { deny() } else { next() } ] }
     |                                                ^~~
1 error
)V"},
  };
  check(kRows);
}

TEST_CASE("check: all wrong values of objects, each where it stands") {
  const Row kRows[] = {
      {R"V(object g group = [ object a address = "no address", object b address = "b@b.example",
  object c fqdn = "-x", object d ip4 = "1.2.3", 5 ];
#{})V",
       R"V(test.vsl:1:39: error: 'no address' is not a valid address: not an address
   1 | object g group = [ object a address = "no address", object b address = "b@b.example",
     |                                       ^~~~~~~~~~~~
test.vsl:2:19: error: '-x' is not a valid fqdn.
   2 |   object c fqdn = "-x", object d ip4 = "1.2.3", 5 ];
     |                   ^~~~
test.vsl:2:40: error: '1.2.3' is not a valid IPv4 address.
   2 |   object c fqdn = "-x", object d ip4 = "1.2.3", 5 ];
     |                                        ^~~~~~~
test.vsl:2:49: error: the element '5' inside the 'g' group is not an object
   2 |   object c fqdn = "-x", object d ip4 = "1.2.3", 5 ];
     |                                                 ^
4 errors
)V"},
      {R"V(object a code = #{ code: 99, enhanced: "5.7" };
object b rg4 = #{ value: "1.2.3.4/33", note: "?" };
object c ip6 = #{ note: "?" };
const d = [address("x"), code("no")];
#{})V",
       R"V(test.vsl:1:17: error: code object a is missing the 'text' key.
   1 | object a code = #{ code: 99, enhanced: "5.7" };
     |                 ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
test.vsl:1:26: error: '99' is not a valid code: a number from 100 to 599
   1 | object a code = #{ code: 99, enhanced: "5.7" };
     |                          ^~
test.vsl:1:40: error: '5.7' is not a valid enhanced code: three numbers, as in 5.7.1
   1 | object a code = #{ code: 99, enhanced: "5.7" };
     |                                        ^~~~~
test.vsl:2:26: error: '1.2.3.4/33' is not a valid IPv4 range: 192.0.2.0/24 or 192.0.2.1-192.0.2.9
   2 | object b rg4 = #{ value: "1.2.3.4/33", note: "?" };
     |                          ^~~~~~~~~~~~
test.vsl:3:16: error: 'value' key not found in object.
   3 | object c ip6 = #{ note: "?" };
     |                ^~~~~~~~~~~~~~
test.vsl:4:20: error: 'x' is not a valid address: not an address
   4 | const d = [address("x"), code("no")];
     |                    ^~~
test.vsl:4:31: error: 'no' is not a valid code: CODE[ ENHANCED] TEXT, as in 554 5.7.1 Relay access denied
   4 | const d = [address("x"), code("no")];
     |                               ^~~~
7 errors
)V"},
      // Within rules too, and what only shows when it runs is left to that.
      {R"V(#{ mail: [ rule "a" || { let h = helo(); object f fqdn = h; object r code = "5 no"; deny(r) } ] })V",
       R"V(test.vsl:1:77: error: '5 no' is not a valid code: CODE[ ENHANCED] TEXT, as in 554 5.7.1 Relay access denied
   1 | #{ mail: [ rule "a" || { let h = helo(); object f fqdn = h; object r code = "5 no"; deny(r) } ] }
     |                                                                             ^~~~~~
1 error
)V"},
  };
  check(kRows);
}

TEST_CASE("check: texts that are no reply, address, host, name") {
  const Row kRows[] = {
      {R"V(#{ mail: [ rule "a" || deny("no code") ] })V",
       R"V(test.vsl:1:29: warning: 'no code' is no reply: expected a code, an enhanced code if wanted, a text, as in "554 5.7.1 Not here"
   1 | #{ mail: [ rule "a" || deny("no code") ] }
     |                             ^~~~~~~~~
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || { bcc("nobody"); next() } ] })V",
       R"V(test.vsl:1:30: warning: 'nobody' is not a valid address: not an address
   1 | #{ mail: [ rule "a" || { bcc("nobody"); next() } ] }
     |                              ^~~~~~~~
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || { forward_all("not a host"); next() } ] })V",
       R"V(test.vsl:1:38: warning: not a host could not be used as a forward target.
   1 | #{ mail: [ rule "a" || { forward_all("not a host"); next() } ] }
     |                                      ^~~~~~~~~~~~
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || quarantine("../x") ] })V",
       R"V(test.vsl:1:35: warning: '../x' cannot be the name of a quarantine; expected: one to four names with / between them, each of at most 64 of A-Z a-z 0-9 . _ - and without a dot in front
   1 | #{ mail: [ rule "a" || quarantine("../x") ] }
     |                                   ^~~~~~
1 warning
)V"},
      {R"V(#{ mail: [ action "a" || log("loud", "x") ] })V",
       R"V(test.vsl:1:30: warning: 'loud' is no level of the log: expected trace, debug, info, warn or error
   1 | #{ mail: [ action "a" || log("loud", "x") ] }
     |                              ^~~~~~
1 warning
)V"},
  };
  check(kRows);
}

TEST_CASE("check: missing files") {
  const Row kRows[] = {
      {R"V(import "none" as n;
#{ mail: [ rule "a" || n::f() ] })V",
       R"V(test.vsl:1:8: error: Module not found: none
   1 | import "none" as n;
     |        ^~~~~~
     = help: there is no none.vsl or none.rhai beside the importing file or the main script
1 error
)V"},
      {R"V(object f file:fqdn = "/nonexistent/none.txt";
#{})V",
       R"V(test.vsl:1:1: error: open /nonexistent/none.txt: No such file or directory
   1 | object f file:fqdn = "/nonexistent/none.txt";
     | ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
1 error
)V"},
      {R"V(service d db:csv = #{ connector: "/nonexistent/none.csv" };
#{})V",
       R"V(test.vsl:1:1: error: could not load database at /nonexistent/none.csv: open /nonexistent/none.csv: No such file or directory
   1 | service d db:csv = #{ connector: "/nonexistent/none.csv" };
     | ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
1 error
)V"},
  };
  check(kRows);
}

TEST_CASE("check: spellings of v0") {
  const Row kRows[] = {
      {R"V(obj ip4 "a" "10.0.0.1";
#{})V",
       R"V(test.vsl:1:1: warning: deprecated form of declaration
   1 | obj ip4 "a" "10.0.0.1";
     | ^~~~~~~~~~~~~~~~~~~~~~
     = help: write `object a ip4 = ...`
1 warning
)V"},
      {R"V(object a addr = "x@y.example";
#{})V",
       R"V(test.vsl:1:10: warning: `addr` is a spelling of v0
   1 | object a addr = "x@y.example";
     |          ^~~~
     = help: write: address
1 warning
)V"},
      {R"V(#{ mail: [ rule "a" || { vsl::log_warn("x"); next() } ] })V",
       R"V(test.vsl:1:31: warning: `vsl::log_warn` is a spelling of v0
   1 | #{ mail: [ rule "a" || { vsl::log_warn("x"); next() } ] }
     |                               ^~~~~~~~
     = help: write: log_warn
1 warning
)V"},
  };
  check(kRows);
}
