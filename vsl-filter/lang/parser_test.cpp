#include "vsl-filter/lang/parser.h"

#include <doctest/doctest.h>

#include "vsl-filter/lang/test_dialect.h"

using vsl::test::dumped;

namespace {

struct Case {
  std::string script;
  std::string expected;
};

void check_trees(std::span<const Case> cases) {
  for (const Case& each : cases) {
    CAPTURE(each.script);
    CHECK(dumped(each.script) == each.expected);
  }
}

}  // namespace

TEST_CASE("vsl parser: precedence, from the table of spec 1.2") {
  const Case cases[] = {
      {"2 ** 3 ** 2", "(** 2 (** 3 2))"},
      {"1 + 2 << 1", "(+ 1 (<< 2 1))"},
      {"2 ** 1 << 3", "(** 2 (<< 1 3))"},
      {"2 * 3 ** 2", "(* 2 (** 3 2))"},
      {"a - b - c", "(- (- a b) c)"},
      {"a + b * c % d", "(+ a (% (* b c) d))"},
      {"0..n + 1", "(.. 0 (+ n 1))"},
      {"a ?? b..c", "(?? a (.. b c))"},
      {"a ?? b < c", "(< (?? a b) c)"},
      {"1 < 2 < 3", "(< (< 1 2) 3)"},
      {"a < b in c", "(in (< a b) c)"},
      {"a in b == c", "(== (in a b) c)"},
      {"5 & 3 == 3", "(& 5 (== 3 3))"},
      {"a && b & c", "(& (&& a b) c)"},
      {"a || b && c", "(|| a (&& b c))"},
      {"a | b ^ c || d", "(|| (^ (| a b) c) d)"},
      {"!a == b", "(== (! a) b)"},
      {"-a ** 2", "(** (- a) 2)"},
      {"-a.b()", "(- (method a b))"},
      {"!!a", "(! (! a))"},
      {"+a - -b", "(- (+ a) (- b))"},
      {"(a + b) * c", "(* (+ a b) c)"},
      {"a >= b <= c > d", "(> (<= (>= a b) c) d)"},
  };
  check_trees(cases);
}

TEST_CASE("vsl parser: operators in words") {
  const Case cases[] = {
      {"3 is 3", "(== 3 3)"},
      {"3 not 4", "(!= 3 4)"},
      {"a is not b", "(!= a b)"},
      {"a not in b", "(!in a b)"},
      {"a !in b", "(!in a b)"},
      {"not a", "(! a)"},
      {"not a is b", "(== (! a) b)"},
      {"a is (not b)", "(== a (! b))"},
      {"!inside", "(! inside)"},
      {"a is b && c not d", "(&& (== a b) (!= c d))"},
  };
  check_trees(cases);
}

TEST_CASE("vsl parser: members, indexes, calls") {
  const Case cases[] = {
      {"a.b.c", "(. (. a b) c)"},
      {"a?.b?.c()", "(method? (?. a b) c)"},
      {"a[1][b.c]", "(index (index a 1) (. b c))"},
      {"a?[1]?[2]", "(index? (index? a 1) 2)"},
      {"f()", "(call f)"},
      {"f(1, 2,)", "(call f 1 2)"},
      {"f!(1)", "(call f! 1)"},
      {"a.f!(1)", "(method a f! 1)"},
      {"a::b::c", "a::b::c"},
      {"a::f(1)", "(call a::f 1)"},
      {"global::X", "global::X"},
      {"toml::server.smtp.codes", "(. (. toml::server smtp) codes)"},
      {"Fn(\"f\")", "(call Fn \"f\")"},
      {"call(f, 1)", "(call call f 1)"},
      {"print(type_of(x))", "(call print (call type_of x))"},
      {"f(x)\n  .g()\n  .h", "(. (method (call f x) g) h)"},
      {"\"a\".len()", "(method \"a\" len)"},
      {"[1, 2][0]", "(index [1 2] 0)"},
      {"#{a: 1}.a", "(. #{a: 1} a)"},
      {"(a + b).c", "(. (+ a b) c)"},
      {"this.x.push(1)", "(method (. this x) push 1)"},
      {"rcpt_list().domains", "(. (call rcpt_list) domains)"},
      {"db::rule(1)", "(call db::rule 1)"},
  };
  check_trees(cases);
}

TEST_CASE("vsl parser: literals of arrays and maps") {
  const Case cases[] = {
      {"[]", "[]"},
      {"[1, [2], ]", "[1 [2]]"},
      {"#{}", "#{}"},
      {"#{a: 1, \"b c\": 2,}", "#{a: 1 b c: 2}"},
      {"()", "()"},
      {"(1)", "1"},
  };
  check_trees(cases);
}

TEST_CASE("vsl parser: statements") {
  const Case cases[] = {
      {";;1;;", "1"},
      {"let x; const y = 2; x", "(let x) (const y 2) x"},
      {"x = 1; x += 2; x.a[0]?.b **= 3;", "(= x 1) (+= x 2) (**= (?. (index (. x a) 0) b) 3)"},
      {"a -= 1; a *= 1; a /= 1; a %= 1; a <<= 1; a >>= 1; a &= 1; a |= 1; a ^= 1",
       "(-= a 1) (*= a 1) (/= a 1) (%= a 1) (<<= a 1) (>>= a 1) (&= a 1) (|= a 1) (^= a 1)"},
      {"this = 1; this.x = 2", "(= this 1) (= (. this x) 2)"},
      {"{ 1 } { 2 }", "{1} {2}"},
      {"{ let x = 1; x + 1; }", "{(let x 1) (+ x 1)}"},
      {"if a { 1 } -1", "(if a {1}) -1"},
      {"throw", "(throw)"},
      {"throw \"x\"; return; return 1; break; break 2; continue", "(throw \"x\") (return) (return 1) (break) (break 2) (continue)"},
      {"try { f() } catch { g() }", "(try {(call f)} catch {(call g)})"},
      {"try { f() } catch (e) { e } 1", "(try {(call f)} catch e {e}) 1"},
      {"import \"a/b\" as m; import \"c\";", "(import \"a/b\" m) (import \"c\")"},
      {"export let a = 1; export const b = 2; export a, b as c;", "(export (let a 1)) (export (const b 2)) (export a b:c)"},
      {"fn f() { 42; } f()", "(fn f () {42}) (call f)"},
      {"private fn g(a, b,) { a }", "(private fn g (a b) {a})"},
      {"fn f() {}\nfn f(a) {}", "(fn f () {}) (fn f (a) {})"},
  };
  check_trees(cases);
}

TEST_CASE("vsl parser: control") {
  const Case cases[] = {
      {"if a { 1 } else if b { 2 } else if c { 3 } else { 4 }", "(if a {1} b {2} c {3} else {4})"},
      {"let x = if a { 1 } else { 2 } + 3;", "(let x (+ (if a {1} else {2}) 3))"},
      {"while a { b() } c", "(while a {(call b)}) c"},
      {"do { a } while b; do { a } until b", "(do-while {a} b) (do-until {a} b)"},
      {"loop { break 7; }", "(loop {(break 7)})"},
      {"for x in [1] { x }", "(for x in [1] {x})"},
      {"for (x, i) in 0..3 { x }", "(for x i in (.. 0 3) {x})"},
      {"let v = loop { break 7; }; v", "(let v (loop {(break 7)})) v"},
      {"switch x { 1 | 2 => a, 'c' => { b } \"s\" if g => c, _ => d }", "(switch x (1 2 => a) ('c' => {b}) (\"s\" if g => c) (_ => d))"},
      {"switch 25 { 0..10 => \"low\", 10..=30 if false => \"never\", 20..30 => \"mid\", _ => \"high\" }",
       "(switch 25 ((.. 0 10) => \"low\") ((..= 10 30) if false => \"never\") ((.. 20 30) => \"mid\") (_ => \"high\"))"},
      {"switch x { () => 1, [1, 'a'] => 2, #{a: 1} => 3, true => 4, -1 => 5, 1.5 => 6, }",
       "(switch x (() => 1) ([1 'a'] => 2) (#{a: 1} => 3) (true => 4) (-1 => 5) (1.5 => 6))"},
      {"loop { switch x { 1 => break, 2 => return, 3 => return 4, 4 => throw \"x\", 5 => y = 2, _ => continue } }",
       "(loop {(switch x (1 => (break)) (2 => (return)) (3 => (return 4)) (4 => (throw \"x\")) (5 => (= y 2)) (_ => (continue)))})"},
      {"switch x {}", "(switch x)"},
  };
  check_trees(cases);
}

TEST_CASE("vsl parser: the body of a closure is one statement of any kind") {
  const Case cases[] = {
      {"|| 1", "(|| 1)"},
      {"|a, b| a + b", "(|a b| (+ a b))"},
      {"|| n += 1", "(|| (+= n 1))"},
      {"|| throw \"x\"", "(|| (throw \"x\"))"},
      {"|| import \"m\"", "(|| (import \"m\"))"},
      {"|| for r in list { f(r) }", "(|| (for r in list {(call f r)}))"},
      {"|| { a; b }", "(|| {a b})"},
      {"|| return 1", "(|| (return 1))"},
      {"f(|x| x == 1, 2)", "(call f (|x| (== x 1)) 2)"},
      {"a || || b", "(|| a (|| b))"},
      {"list.map(|x| { x }).len", "(. (method list map (|x| {x})) len)"},
      {"|a| |b| a", "(|a| (|b| a))"},
      {"let f = || loop { break 1 }; f", "(let f (|| (loop {(break 1)}))) f"},
  };
  check_trees(cases);
}

TEST_CASE("vsl parser: directives") {
  const Case cases[] = {
      {"rule \"a\" || next()", "(rule \"a\" (|| (call next)))"},
      {"rule \"x\" || a || b", "(rule \"x\" (|| (|| a b)))"},
      {"[action \"a\" || f(), rule \"b\" || { g() }, ]", "[(action \"a\" (|| (call f))) (rule \"b\" (|| {(call g)}))]"},
      {"rule \"long\" #{ description: \"d\", evaluate: || next() }", "(rule \"long\" #{description: \"d\" evaluate: (|| (call next))})"},
      {"delegate av \"scan\" || next()", "(delegate av \"scan\" (|| (call next)))"},
      {"delegate s::av \"scan\" || next()", "(delegate s::av \"scan\" (|| (call next)))"},
      {"delegate 5 \"d\" || next()", "(delegate 5 \"d\" (|| (call next)))"},
      {"rule \"v3\" |ctx| ctx.helo", "(rule \"v3\" (|ctx| (. ctx helo)))"},
      {"let r = rule \"kept\" || 1; r", "(let r (rule \"kept\" (|| 1))) r"},
      {"rule \"one\" || { 1 }\nrule \"two\" || { 2 }", "(rule \"one\" (|| {1})) (rule \"two\" (|| {2}))"},
  };
  check_trees(cases);
}

TEST_CASE("vsl parser: declarations") {
  const Case cases[] = {
      {"object gw ip4 = \"192.0.2.1\";", "(object gw ip4 \"192.0.2.1\")"},
      {"object l file:fqdn = \"/x\";", "(object l file:fqdn \"/x\")"},
      {"object code code = #{ code: 554, text: \"x\" };", "(object code code #{code: 554 text: \"x\"})"},
      {"object g group = [ object a ip4 = \"1.2.3.4\", object b rg4 = \"10.0.0.0/8\" ];",
       "(object g group [(object a ip4 \"1.2.3.4\") (object b rg4 \"10.0.0.0/8\")])"},
      {"a is object x ip4 = \"192.0.2.1\" && b", "(== a (object x ip4 (&& \"192.0.2.1\" b)))"},
      {"(object a address = \"a@b.example\") in c", "(in (object a address \"a@b.example\") c)"},
      {"if in_domain(object probe address = \"x@y.example\") { 1 }", "(if (call in_domain (object probe address \"x@y.example\")) {1})"},
      {"service db db:csv = #{ connector: \"x\" };", "(service db db:csv #{connector: \"x\"})"},
      {"service e cmd = #{ command: \"sh\" };", "(service e cmd #{command: \"sh\"})"},
      {"fn reply_for(x) { object r code = `550 5.7.1 ${x}`; }", "(fn reply_for (x) {(object r code (template \"550 5.7.1 \" {x}))})"},
      {"export object x ip4 = \"1.2.3.4\";", "(object x ip4 \"1.2.3.4\")"},
      // Versions before 1.0.
      {"object ip4 \"gw\" \"192.0.2.1\";", "(object gw ip4 \"192.0.2.1\")"},
      {"obj ip4 \"gw\" \"192.0.2.1\";", "(object gw ip4 \"192.0.2.1\")"},
      {"obj file:ip4 \"gws\" \"/x\";", "(object gws file:ip4 \"/x\")"},
      {"obj::code(1)", "(call obj::code 1)"},
      {"obj.x", "(. obj x)"},
  };
  check_trees(cases);
  CHECK(vsl::test::errors("obj ip4 \"gw\" \"192.0.2.1\";") == "1:1: warning: deprecated form of declaration");
  vsl::test::Parsed parsed("obj ip4 \"gw\" \"192.0.2.1\";");
  REQUIRE(parsed.diagnostics.warnings() == 1);
  CHECK(parsed.diagnostics.all()[0].help == "write `object gw ip4 = ...`");
}

TEST_CASE("vsl parser: the policy of appendix E, as v1.0 and as v2 write it") {
  CHECK(dumped(R"(import "things" as t;            // things.vsl
#{
    mail: [
        rule "own senders" || check_mail_relay(t::partners),
        rule "greeting name" || if ctx().helo is "localhost" { deny("550 5.7.1 who are you?") } else { next() },
    ],
    preq: [
        rule "too many hops" || {
            if get_header("X-Hops") == "9" { return deny("554 5.4.6 loop"); }
            set_header("X-Hops", "1");
            next()
        },
    ],
    delivery: [
        action "local or not" || for r in ctx().rcpt_list {
            if in_domain(r) { maildir(r) } else { forward(r, "relay.own.example:2525") }
        },
    ],
})") ==
        "(import \"things\" t) #{mail: [(rule \"own senders\" (|| (call check_mail_relay t::partners))) (rule \"greeting name\" (|| (if (== (. (call "
        "ctx) helo) \"localhost\") {(call deny \"550 5.7.1 who are you?\")} else {(call next)})))] preq: [(rule \"too many hops\" (|| {(if (== (call "
        "get_header \"X-Hops\") \"9\") {(return (call deny \"554 5.4.6 loop\"))}) (call set_header \"X-Hops\" \"1\") (call next)}))] delivery: "
        "[(action \"local or not\" (|| (for r in (. (call ctx) rcpt_list) {(if (call in_domain r) {(call maildir r)} else {(call forward r "
        "\"relay.own.example:2525\")})})))]}");
  CHECK(dumped(R"(const partners = [ fqdn("partner.example"), rg4("203.0.113.0/24") ];
#{ mail: [ rule "n" || if ctx::helo() is "localhost" { state::deny(code(550, "5.7.1", "who are you?")) } else { state::next() }, ], })") ==
        "(const partners [(call fqdn \"partner.example\") (call rg4 \"203.0.113.0/24\")]) #{mail: [(rule \"n\" (|| (if (== (call ctx::helo) "
        "\"localhost\") {(call state::deny (call code 550 \"5.7.1\" \"who are you?\"))} else {(call state::next)})))]}");
  CHECK(dumped(R"(fn on_mail_from(ctx) { ctx.run([ rule "g" |ctx| if ctx.helo == "localhost" { status::deny("550 no") } else { status::next() } ]) })") ==
        "(fn on_mail_from (ctx) {(method ctx run [(rule \"g\" (|ctx| (if (== (. ctx helo) \"localhost\") {(call status::deny \"550 no\")} else "
        "{(call status::next)})))])})");
}

TEST_CASE("vsl parser: spans cover what they name") {
  vsl::test::Parsed parsed("let x = f(1) + a.b[2];  rule \"n\" || { 1 };");
  REQUIRE(parsed.errors().empty());
  const auto& source = parsed.sources.at(0);
  const auto statements = vsl::ast::as<vsl::ast::Block>(*parsed.tree->script.body.code).statements;
  REQUIRE(statements.size() == 2);
  CHECK(source.text(statements[0]->span) == "let x = f(1) + a.b[2]");
  const auto& sum = vsl::ast::as<vsl::ast::Binary>(*vsl::ast::as<vsl::ast::Let>(*statements[0]).value);
  CHECK(source.text(sum.span) == "f(1) + a.b[2]");
  CHECK(source.text(sum.op_span) == "+");
  CHECK(source.text(sum.left->span) == "f(1)");
  CHECK(source.text(sum.right->span) == "a.b[2]");
  CHECK(source.text(statements[1]->span) == "rule \"n\" || { 1 }");
}
