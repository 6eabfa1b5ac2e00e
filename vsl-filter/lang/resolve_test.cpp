#include "vsl-filter/lang/resolve.h"

#include <doctest/doctest.h>

#include "vsl-filter/lang/ast_walk.h"
#include "vsl-filter/lang/test_dialect.h"

namespace {

using vsl::ast::Kind;
using vsl::ast::Node;

struct Resolved : vsl::test::Parsed {
  explicit Resolved(std::string text) : Parsed(std::move(text)) {
    if (!diagnostics.has_errors()) vsl::resolve(*tree, diagnostics);
  }
  // The closures of the script, outer ones first, each with the names of its captures: "f: a b".
  std::string captures() {
    std::string out;
    for (const auto* function : tree->script.functions) collect(function->body.code, out);
    collect(tree->script.body.code, out);
    return out;
  }
  // Where each use of this name was declared: "1:5 3:9"; "-" for none.
  std::string uses(std::string_view name) {
    std::string out;
    for (const auto* function : tree->script.functions) find(function->body.code, name, out);
    find(tree->script.body.code, name, out);
    return out;
  }

 private:
  void collect(Node* node, std::string& out) {
    if (node->kind == Kind::Closure) {
      out += out.empty() ? "[" : " [";
      for (const auto* variable : vsl::ast::as<vsl::ast::Closure>(*node).body.captures) out += (out.ends_with('[') ? "" : " ") + std::string(variable->name);
      out += ']';
    }
    vsl::ast::for_each_child(*node, [&](Node*& child) { collect(child, out); });
  }
  void find(Node* node, std::string_view name, std::string& out) {
    if (node->kind == Kind::Name && vsl::ast::as<vsl::ast::Name>(*node).name == name) {
      const auto* variable = vsl::ast::as<vsl::ast::Name>(*node).variable;
      if (!out.empty()) out += ' ';
      if (variable == nullptr) {
        out += '-';
      } else {
        const auto at = sources.locate(variable->span);
        out += std::to_string(at.line) + ":" + std::to_string(at.column);
      }
    }
    vsl::ast::for_each_child(*node, [&](Node*& child) { find(child, name, out); });
  }
};

std::string errors(std::string text) { return Resolved(std::move(text)).errors(); }

}  // namespace

TEST_CASE("vsl resolve: the innermost declaration that stands before the use") {
  CHECK(Resolved("let x = 1; { let x = x; x } x").uses("x") == "1:5 1:18 1:5");
  CHECK(Resolved("let x = 1; let x = x + 1; x").uses("x") == "1:5 1:16");
  CHECK(Resolved("x; let x = 1;").uses("x") == "-");
  CHECK(Resolved("{ let x = 1; } x").uses("x") == "-");
  CHECK(Resolved("for x in x { x } x").uses("x") == "- 1:5 -");
  CHECK(Resolved("for (a, x) in 0..3 { x }").uses("x") == "1:9");
  CHECK(Resolved("try { 1 } catch (x) { x } x").uses("x") == "1:18 -");
  CHECK(Resolved("try { let x = 1; } catch { x }").uses("x") == "-");
  CHECK(Resolved("if f(object x ip4 = \"1.2.3.4\") { x } x").uses("x") == "1:13 1:13");
  CHECK(Resolved("`${let x = 1; x}`; x").uses("x") == "1:8 -");
  CHECK(Resolved("|x| x; x").uses("x") == "1:2 -");
  CHECK(Resolved("let i = [object x ip4 = \"1\", x]; x").uses("x") == "1:17 1:17");
}

TEST_CASE("vsl resolve: functions see no variables outside of them, closures do") {
  CHECK(Resolved("let x = 1; fn f() { x }").uses("x") == "-");
  CHECK(Resolved("const x = 1; fn f() { x }").uses("x") == "-");
  CHECK(Resolved("let x = 1; fn f(x) { || x }").uses("x") == "1:17");
  CHECK(Resolved("let x = 1; || || x").uses("x") == "1:5");
  Resolved global("const x = 1; fn f() { global::x }");
  CHECK(global.errors().empty());
  Resolved below("fn f() { global::x } let g = || global::y; const x = 1; const y = 2;");
  CHECK(below.errors().empty());
  CHECK(errors("let x = 1; fn f() { global::x }") == "1:21: Variable not found: global::x");
  CHECK(errors("fn f() { global::x }") == "1:10: Variable not found: global::x");
  CHECK(errors("{ const x = 1; } fn f() { global::x }") == "1:27: Variable not found: global::x");
}

TEST_CASE("vsl resolve: captures go through all closures in between") {
  CHECK(Resolved("let n = 1; let f = || n += 1;").captures() == "[n]");
  CHECK(Resolved("let a = 1; let b = 2; || { b; || { a; a } }").captures() == "[b a] [a]");
  CHECK(Resolved("|a| |b| |c| a + b + c").captures() == "[] [a] [a b]");
  CHECK(Resolved("fn f(a) { let b = 1; || a + b }").captures() == "[a b]");
  CHECK(Resolved("|| { let x = 1; x }").captures() == "[]");
  CHECK(Resolved("const l = 1; #{ rcpt: [ rule \"r\" || l > 0 ] }").captures() == "[l]");
  Resolved made("let a = 1; let b = 2; let f = || a; b");
  const auto& statements = vsl::ast::as<vsl::ast::Block>(*made.tree->script.body.code).statements;
  CHECK(vsl::ast::as<vsl::ast::Let>(*statements[0]).variable->is_captured);
  CHECK_FALSE(vsl::ast::as<vsl::ast::Let>(*statements[1]).variable->is_captured);
  CHECK(vsl::ast::as<vsl::ast::Let>(*statements[1]).variable->is_used);
  CHECK(vsl::ast::as<vsl::ast::Let>(*statements[0]).variable->owner == &made.tree->script.body);
}

TEST_CASE("vsl resolve: calls find functions of the file by name and number of parameters, imports by alias") {
  Resolved made("import \"m\" as m; fn f() { m::g() } fn f(a) { a } f(); f(1); f(1, 2); m::f(); { import \"n\" as n; n::f() } n::f()");
  REQUIRE(made.errors().empty());
  const auto& statements = vsl::ast::as<vsl::ast::Block>(*made.tree->script.body.code).statements;
  const auto call = [&](std::size_t at) -> const vsl::ast::Call& { return vsl::ast::as<vsl::ast::Call>(*statements[at]); };
  CHECK(call(1).function == made.tree->script.functions[0]);
  CHECK(call(2).function == made.tree->script.functions[1]);
  CHECK(call(3).function == nullptr);
  CHECK(call(4).import == made.tree->script.imports[0]);
  const auto& inner = vsl::ast::as<vsl::ast::Block>(*statements[5]).statements;
  CHECK(vsl::ast::as<vsl::ast::Call>(*inner[1]).import == made.tree->script.imports[1]);
  CHECK(call(6).import == nullptr);
  const auto& in_function = vsl::ast::as<vsl::ast::Block>(*made.tree->script.functions[0]->body.code).statements;
  CHECK(vsl::ast::as<vsl::ast::Call>(*in_function[0]).import == made.tree->script.imports[0]);
}

TEST_CASE("vsl resolve: exports") {
  Resolved made("export let a = 1; const b = 2; export b as c; object o ip4 = \"1.2.3.4\"; object g group = [object h ip4 = \"1.2.3.4\"]; { object i ip4 = \"1\"; } fn f() {}");
  REQUIRE(made.errors().empty());
  std::string names;
  for (const auto& item : made.tree->script.exports) names += std::string(item.as) + " ";
  CHECK(names == "a c o h g ");
  CHECK(errors("export nothing;") == "1:8: Variable not found: nothing");
}

TEST_CASE("vsl resolve: is_def_var is known before the script runs") {
  Resolved made("let x = 1; [is_def_var(\"x\"), is_def_var(\"y\")]");
  CHECK(made.dump() == "(let x 1) [true false]");
  CHECK(errors("is_def_var(x)") == "1:12: is_def_var needs a plain string");
}

TEST_CASE("vsl resolve: errors that need no knowledge of the host") {
  struct Case {
    std::string script;
    std::string expected;
  };
  const Case cases[] = {
      {"const A = 1; A = 2;", "1:14: Cannot assign to constant A"},
      {"const A = 1; A += 2;", "1:14: Cannot assign to constant A"},
      {"const A = #{}; A.x = 2;", "1:16: Cannot assign to constant A"},
      {"const A = []; || A[0] = 2", "1:18: Cannot assign to constant A"},
      {"object a ip4 = \"1.2.3.4\"; a = 1;", "1:27: Cannot assign to constant a"},
      {"const A = 1; { let A = 2; A = 3; }", ""},
      {"break;", "1:1: `break` outside of a loop"},
      {"if true { continue; }", "1:11: `continue` outside of a loop"},
      {"loop { || break }", "1:11: `break` outside of a loop"},
      {"fn f() { break }", "1:10: `break` outside of a loop"},
      {"loop { if true { break } } while true { continue } for x in 0..1 { break } do { break } while true", ""},
      {"fn f(a) {} fn f(b) {}", "1:15: function `f` with 1 parameter is defined twice"},
      {"fn f(a, a) {}", "1:9: parameter `a` is declared twice"},
      {"|a, b, a| 1", "1:8: parameter `a` is declared twice"},
      {"for (i, i) in 0..3 {}", "1:9: `i` is declared twice"},
      {"#{a: 1, a: 2}", "1:9: duplicate key `a` in this map"},
      {"#{a: 1, \"a\": 2}", "1:9: duplicate key `a` in this map"},
      {"#{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, e: 2}", "1:63: duplicate key `e` in this map"},
      {"f!(1)", "1:1: a function cannot run in the scope of its caller"},
      {"x.f!(1)", "1:1: a function cannot run in the scope of its caller"},
      {"switch 1 { _ => 1, 2 => 2 }", "1:20: no case can stand behind `_`"},
      {"switch 1 { _ if true => 1 }", "1:17: the case `_` cannot have a condition"},
      {"switch 1 { 1 => 1, 1 => 2 }", "1:20: warning: this label is never reached"},
      {"switch 1 { 1 if f() => 1, 1 => 2 }", ""},
      {"if 1 { 2 }", "1:4: Expecting a boolean expression, not an i64"},
      {"while \"x\" {}", "1:7: Expecting a boolean expression, not a string"},
      {"do {} until ()", "1:13: Expecting a boolean expression, not a ()"},
      {"!1.5", "1:2: Expecting a boolean expression, not a f64"},
      {"true && [] || #{}", "1:9: Expecting a boolean expression, not an array | 1:15: Expecting a boolean expression, not a map"},
      {"switch 1 { 1 if 2 => 3 }", "1:17: Expecting a boolean expression, not an i64"},
      {"if x == 1 && !y && f() && z { }", ""},
      {"if 1 + x { }", ""},
      {"if 1 + 2 { }", "1:4: Expecting a boolean expression, not an i64"},
      {"if { let x = 1; } { }", "1:4: expected a condition, found `{`"},
      {"!a in b", "1:1: warning: `!` binds tighter than `in`: this is `(!a) in b`"},
      {"!a == true", ""},
      {"return 1; 2", "1:11: warning: this is never reached"},
      {"if a { return 1 } else { throw 2 } 3", "1:36: warning: this is never reached"},
      {"if a { return 1 } 3", ""},
      {"a == 1; 2", "1:1: warning: a comparison has no effect here"},
      {"a; 2", "1:1: warning: reading this has no effect here"},
      {"|| 1; 2", "1:1: warning: a closure that nobody keeps has no effect here"},
      {"f(); a.b; 2", ""},
      {"rule \"a\" #{ description: \"x\" }", "1:6: 'evaluate' function is missing from 'a' rule"},
      {"delegate x \"a\" #{ }", "1:12: 'evaluate' function is missing from 'a' delegation"},
      {"rule \"a\" #{ evaluate: 5 }", "1:23: 'evaluate' of 'a' must be a closure, not an i64"},
      {"rule \"a\" #{ evaluate: f }", ""},
  };
  for (const Case& each : cases) {
    CAPTURE(each.script);
    CHECK(errors(each.script) == each.expected);
  }
}

TEST_CASE("vsl resolve: this is noted where it is used") {
  Resolved made("fn f() { this.x } fn g() { || this } fn h() { 1 }");
  CHECK(made.tree->script.functions[0]->body.uses_this);
  CHECK_FALSE(made.tree->script.functions[1]->body.uses_this);
  CHECK_FALSE(made.tree->script.functions[2]->body.uses_this);
}
