#include "vsl-filter/lang/check.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "vsl-filter/lang/test_dialect.h"

namespace {

struct Host : vsl::HostNames {
  std::map<std::string, std::map<std::string, std::set<std::size_t>, std::less<>>, std::less<>> spaces{
      {"",
       {{"accept", {0, 1}},
        {"next", {0}},
        {"deny", {0, 1}},
        {"f", {0, 1, 2, 3}},
        {"to_upper", {1}},
        {"truncate", {2}},
        {"get_header", {1, 2}},
        {"net_10", {kValue}},
        {"code", {2, 3}}}},
      {"state", {{"accept", {0, 1}}, {"next", {0}}}},
      {"dns", {{"lookup", {1}}}},
      {"toml", {{"server", {kValue}}}},
  };
  [[nodiscard]] bool has_namespace(std::string_view path) const override { return spaces.contains(path); }
  [[nodiscard]] bool has_function(std::string_view path, std::string_view name, std::size_t arguments) const override { return has(path, name, arguments); }
  [[nodiscard]] bool has_value(std::string_view path, std::string_view name) const override { return has(path, name, kValue); }
  [[nodiscard]] bool is_result_needed(std::string_view, std::string_view name) const override { return name == "to_upper" || name == "accept"; }
  void each(std::string_view path, const std::function<void(std::string_view, std::size_t)>& see) const override {
    const auto space = spaces.find(path);
    if (space == spaces.end()) return;
    for (const auto& [name, arities] : space->second) {
      for (const auto arity : arities) see(std::string(name), arity);  // a text that does not stay
    }
  }
  void each_namespace(const std::function<void(std::string_view)>& see) const override {
    for (const auto& [path, names] : spaces) {
      if (!path.empty()) see(path);
    }
  }

 private:
  [[nodiscard]] bool has(std::string_view path, std::string_view name, std::size_t arguments) const {
    const auto space = spaces.find(path);
    if (space == spaces.end()) return false;
    const auto found = space->second.find(name);
    return found != space->second.end() && found->second.contains(arguments);
  }
};

struct Texts : vsl::Loader {
  base::Result<vsl::LoadedText> load(std::string_view path, std::string_view) override {
    if (path == "m") {
      return vsl::LoadedText{"m", "import \"n\" as sub; export const shown = 1; const hidden = 2; fn open(a) { a } private fn secret() {} object ob ip4 = \"1.2.3.4\";"};
    }
    if (path == "n") return vsl::LoadedText{"n", "fn deep() { 1 } export const x = || 1;"};
    return base::fail(base::Fault::Config, "no");
  }
};

struct Checked {
  vsl::Modules modules;
  vsl::Diagnostics diagnostics;

  explicit Checked(std::string text, std::span<vsl::CheckHook* const> hooks = {}) {
    Texts texts;
    vsl::load_modules({"main", std::move(text)}, texts, vsl::test::kDialect, modules, diagnostics);
    vsl::check(modules, Host(), diagnostics, hooks);
    diagnostics.sort();
  }
  [[nodiscard]] std::string told() const {
    std::string out;
    for (const auto& each : diagnostics.all()) {
      const auto at = modules.sources.locate(each.span);
      out += (out.empty() ? "" : " | ") + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
             (each.severity == vsl::Severity::Warning ? "warning: " : "") + each.message + (each.help.empty() ? "" : " [" + each.help + "]");
    }
    return out;
  }
};

struct Case {
  std::string script;
  std::string expected;
};
void check_all(std::span<const Case> cases) {
  for (const Case& each : cases) {
    CAPTURE(each.script);
    CHECK(Checked(each.script).told() == each.expected);
  }
}

}  // namespace

TEST_CASE("vsl check: unknown functions and numbers of arguments") {
  const Case cases[] = {
      {"accept()", ""},
      {"accept(\"250 ok\")", ""},
      {"acept()", "1:1: Function not found: acept [did you mean `accept`?]"},
      {"accept(1, 2)", "1:1: Function not found: accept with 2 arguments [`accept` takes 0 or 1 arguments]"},
      {"next(1)", "1:1: Function not found: next with 1 argument [`next` takes 0 arguments]"},
      {"to_upper()", "1:1: Function not found: to_upper with 0 arguments [`to_upper` takes 1 argument]"},
      {"f(1, 2, 3, 4)", "1:1: Function not found: f with 4 arguments [`f` takes 0 to 3 arguments]"},
      {"fn g(a) { a } g()", "1:15: Function not found: g with 0 arguments [`g` takes 1 argument]"},
      {"fn g(a) { a } g(1)", ""},
      {"fn accept(a, b, c) { a } accept(1, 2, 3); accept()", ""},
      {"fn accept(a, b, c) { a } accept(1, 2)", "1:26: Function not found: accept with 2 arguments [`accept` takes 0, 1 or 3 arguments]"},
      {"fn helper() { 1 } helpr()", "1:19: Function not found: helpr [did you mean `helper`?]"},
      {"state::accept()", ""},
      {"state::acept()", "1:8: Function not found: state::acept [did you mean `state::accept`?]"},
      {"stat::accept()", "1:1: Module not found: stat [did you mean `state`?]"},
      {"nothing::accept()", "1:1: Module not found: nothing [files are taken in with `import \"path\" as nothing;`]"},
      {"lookup(1)", "1:1: Function not found: lookup [did you mean `dns::lookup`?]"},
      {"dns::code(1, 2)", "1:6: Function not found: dns::code [did you mean `code`?]"},
      {"qqqqqqqq()", "1:1: Function not found: qqqqqqqq"},
      {"let g = |x| x; g(1)", "1:16: Function not found: g [`g` is a variable: a function pointer is called with `g.call(...)`]"},
      {"let g = |x| x; g.call(1); call(g, 1); curry(g, 1); type_of(g); is_shared(g); Fn(\"f\"); is_def_fn(\"f\", 1)", ""},
      {"type_of()", "1:1: Function not found: type_of with 0 arguments [`type_of` takes 1 argument]"},
      // An error of that kind can be caught.
      {"try { next(1); } catch { }", "1:7: warning: Function not found: next with 1 argument [`next` takes 0 arguments]"},
  };
  check_all(cases);
}

TEST_CASE("vsl check: unknown variables") {
  const Case cases[] = {
      {"net_10", ""},
      {"net_01", "1:1: Variable not found: net_01 [did you mean `net_10`?]"},
      {"let value = 1; valeu", "1:16: Variable not found: valeu [did you mean `value`?]"},
      {"accept", "1:1: Variable not found: accept [`accept` is a function: call it with `accept()`, or hand it over as `Fn(\"accept\")`]"},
      {"fn g() { 1 } f(g)", "1:16: Variable not found: g [`g` is a function: call it with `g()`, or hand it over as `Fn(\"g\")`]"},
      {"let LIMIT = 5; fn g() { LIMIT } g()",
       "1:25: Variable not found: LIMIT [functions do not see the variables around them: hand it over as an argument]"},
      {"fn f() { } global::f(); f(); fn h() { global::f() }", ""},
      {"fn size() { } global::sice()", "1:23: Function not found: sice [did you mean `size`?]"},
      {"fn only(a) { } global::only()", "1:24: Function not found: only with 0 arguments [`only` takes 1 argument]"},
      {"const LIMIT = 5; fn g() { LIMIT } g()", "1:27: Variable not found: LIMIT [functions see constants of their file as `global::LIMIT`]"},
      {"const LIMIT = 5; || LIMIT", ""},
      {"f(x); let x = 1;", "1:3: Variable not found: x"},
      {"{ let x = 1; f(x); } x", "1:22: Variable not found: x"},
      {"toml::server.domain", ""},
      {"toml::sever.domain", "1:7: Variable not found: toml::sever [did you mean `toml::server`?]"},
      {"state::accept", "1:8: Variable not found: state::accept [`state::accept` is a function: call it with `state::accept()`]"},
  };
  check_all(cases);
}

TEST_CASE("vsl check: what imported files export") {
  const Case cases[] = {
      {"import \"m\" as m; m::open(1); m::shown + 1; m::ob", "1:30: warning: this operation has no effect here"},
      {"import \"m\" as m; f(m::shown, m::ob, m::sub::deep());", ""},
      {"import \"m\" as m; m::open()", "1:21: Function not found: m::open with 0 arguments [`m::open` takes 1 argument]"},
      {"import \"m\" as m; m::opn(1)", "1:21: Function not found: m::opn [did you mean `m::open`?]"},
      {"import \"m\" as m; m::secret()", "1:21: Function not found: m::secret"},
      {"import \"m\" as m; m::hidden", "1:21: Variable not found: m::hidden [write `export` before its declaration]"},
      {"import \"m\" as m; m::show", "1:21: Variable not found: m::show [did you mean `m::shown`?]"},
      {"import \"m\" as m; m::nosub::deep()", "1:21: Module not found: m::nosub"},
      {"import \"m\" as m; m::sub::dep()", "1:26: Function not found: m::sub::dep [did you mean `m::sub::deep`?]"},
      {"import \"m\" as m; m::sub::x()", "1:26: Function not found: m::sub::x [`m::sub::x` is a variable: a function pointer is called with `m::sub::x.call(...)`]"},
      {"import \"gone\" as m; m::open()", "1:8: Module not found: gone [no]"},
      {"m::open(1)", "1:1: Module not found: m [files are taken in with `import \"path\" as m;`]"},
  };
  check_all(cases);
}

TEST_CASE("vsl check: methods are doubted only where no map can have them") {
  const Case cases[] = {
      {"let s = \"a\"; s.to_upper()", ""},
      {"let s = \"a\"; s.to_uper()", "1:16: warning: Function not found: to_uper [did you mean `to_upper`?]"},
      {"let s = \"a\"; s.truncate()", "1:16: warning: Function not found: truncate with 0 arguments [as a method, `truncate` takes 1 argument]"},
      {"let m = #{ g: || 1 }; m.g()", ""},
      {"let m = #{}; m.g = || 1; m.g()", ""},
      {"let m = #{}; m[\"g\"] = || 1; m.g()", ""},
      {"fn g(x) { this + x } let s = 1; s.g(1)", ""},
      {"fn g(x) { this + x } let s = 1; s.g()", "1:35: warning: Function not found: g with 0 arguments [as a method, `g` takes 1 argument]"},
  };
  check_all(cases);
}

TEST_CASE("vsl check: values and variables that nobody uses") {
  const Case cases[] = {
      {"let s = \"a\"; s.to_upper(); s", "1:14: warning: the result of `to_upper` is thrown away"},
      {"accept(); next()", "1:1: warning: the result of `accept` is thrown away"},
      {"next(); accept()", ""},
      {"fn g() { let x = 1; 2 } g()", "1:14: warning: `x` is never used [if that is wanted, let its name begin with `_`]"},
      {"fn g() { let _x = 1; 2 } g()", ""},
      {"fn g() { let x = 1; || x } g()", ""},
      {"let x = 1;", ""},
      {"for i in 5 { f(i) }", "1:10: warning: Expecting an iterable value, not a i64 [so many rounds are `for i in 0..n`]"},
      {"for i in #{} { f(i) }", "1:10: warning: Expecting an iterable value, not a map [go over its `.keys()` or `.values()`]"},
      {"for i in 0..5 { f(i) } for c in \"ab\" { f(c) } for e in [1] { f(e) }", ""},
  };
  check_all(cases);
}

TEST_CASE("vsl check: a host adds checks of its own") {
  struct Hook : vsl::CheckHook {
    std::string seen;
    void enter(const vsl::ast::Node& node, const vsl::ast::Script&, vsl::Diagnostics& diagnostics) override {
      if (node.kind == vsl::ast::Kind::Directive) seen += "(";
      if (node.kind == vsl::ast::Kind::Call) {
        seen += vsl::ast::as<vsl::ast::Call>(node).callee[0].name;
        if (seen.find('(') == std::string::npos) diagnostics.warning(node.span, "outside of a rule");
      }
    }
    void leave(const vsl::ast::Node& node, const vsl::ast::Script&, vsl::Diagnostics&) override {
      if (node.kind == vsl::ast::Kind::Directive) seen += ")";
    }
  } hook;
  vsl::CheckHook* const hooks[] = {&hook};
  Checked checked("f(); #{ connect: [ rule \"a\" || next() ] }", hooks);
  CHECK(hook.seen == "f(next)");
  CHECK(checked.told() == "1:1: warning: outside of a rule");
}

TEST_CASE("vsl check: the deepest trees that are parsed can be walked") {
  const auto chain = [](std::string_view more, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += more;
    return out;
  };
  CHECK(Checked("f(1" + chain(" + 1", 1020) + ")").told().empty());
  CHECK(Checked("net_10" + chain(".a", 1020)).told().empty());
  CHECK(Checked("let x = true; if x" + chain(" && !x", 1000) + " { f() }").told().empty());
  CHECK(Checked(chain("[", 255) + "1" + chain("]", 255)).told().empty());
  CHECK(Checked(chain("|| ", 255) + "net_10").told().empty());
  CHECK(Checked(chain("{", 255) + "1" + chain("}", 255)).told().empty());
  CHECK(Checked(chain("if net_10 {", 255) + "f()" + chain("}", 255)).told().empty());
}
