// Modules, the host's dialect, values of host classes, sharing of a loaded program between runs and threads.
#include "vsl-filter/lang/program.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "vsl-filter/lang/test_script.h"

using namespace vsl;

namespace {

std::string evaluated(test::Files& files, const Natives& natives = test::standard_natives(), bool is_checked = false) {
  LoadOptions options;
  options.is_checked = is_checked;
  auto loaded = load("main", files, natives, test::kDialect, options);
  REQUIRE(loaded);
  return loaded->program ? debug_of(loaded->program->value()) : test::first_error(*loaded);
}

// A host class: a point that scripts see by handle.
struct Point {
  double x = 0;
};
Result get_point(Run&, const Value& self, std::string_view name) {
  return name == "x" ? Value(self.as_host().as<Point>().x) : Value::absent();
}
Expected<bool> set_point(Run&, const Value& self, std::string_view name, const Value& value) {
  if (name != "x" || !value.is_number()) return false;
  self.as_host().as<Point>().x = value.as_number();
  return true;
}
void show_point(const HostObject& self, std::string& out) { (out += "point ") += text_of(self.as<Point>().x); }
Expected<std::optional<bool>> equal_points(Run&, const Value& self, const Value& other) {
  if (!other.is_number()) return std::nullopt;
  return std::optional(self.as_host().as<Point>().x == other.as_number());
}
Expected<bool> in_point(Run&, const Value& self, const Value& element) {
  if (!element.is_number()) return std::unexpected(Failure(ErrorKind::Api, "no number"));
  return element.as_number() < self.as_host().as<Point>().x;
}
Expected<bool> element_of_point(Run&, const Value& self, std::size_t position, Value& element) {
  if (static_cast<double>(position) >= self.as_host().as<Point>().x) return false;
  element = static_cast<std::int64_t>(position * 10);
  return true;
}
Result add_to_point(Run&, std::string_view symbol, const Value& self, const Value& other, bool is_left) {
  if (symbol != "+" || !other.is_number()) return Value::absent();
  return self.as_host().as<Point>().x * (is_left ? 1 : 100) + other.as_number();
}
constexpr HostClass kPoint{.name = "point", .destroy = destroy_as<Point>, .text = show_point, .equal = equal_points, .contains = in_point,
                           .arithmetic = add_to_point, .get = get_point, .set = set_point, .element = element_of_point};

Result make_object(Run& run, std::span<Value> a) {
  if (a[1].as_text() == "string") return a[2];
  if (!a[2].is_string()) return fail_api("no text");
  return run.heap().host(kPoint, new Point{static_cast<double>(a[2].as_text().size())});
}
Result make_point(Run& run, std::span<Value> a) { return run.heap().host(kPoint, new Point{a[0].as_number()}); }
Result double_point(Run&, std::span<Value> a) { return a[0].as_host().as<Point>().x * 2; }
Result fail_as_host(Run&, std::span<Value>) { return fail_api("invalid thing"); }
Result answer(Run&, std::span<Value>) { return 42; }
Result greet(Run& run, std::span<Value> a) { return run.string("hello " + std::string(a[0].as_text())); }
Result greet_number(Run& run, std::span<Value>) { return run.string("a number"); }

constexpr NativeRow kRows[] = {
    {"make_object", "", {Type::String, Type::String, Type::Any}, kPure, make_object, ""},
    {"point", "pt", {Type::Number}, kPure, make_point, ""},
    {"doubled", "", {kPoint}, kProperty, double_point, ""},
    {"fails", "", {}, kPure, fail_as_host, ""},
    {"ANSWER", "", {}, kConstant, answer, ""},
    {"greet", "", {Type::String}, kPure, greet, "", "host"},
    {"greet", "", {Type::Int}, kPure, greet_number, "", "host"},
};

const Natives& natives() {
  static const Natives* all = [] {
    auto* made = new Natives;
    add_standard_functions(*made);
    made->add(kRows);
    Value config = made->heap().map();
    config.map_for_write(made->heap()).set("domain", made->heap().string("gate.example"));
    made->add_constant("toml", "server", config);
    made->add_constant("", "HOME", made->heap().host(kPoint, new Point{1}));
    return made;
  }();
  return *all;
}

std::string hosted(const std::string& script) {
  test::Files files;
  files.texts["main.vsl"] = script;
  return evaluated(files, natives());
}

}  // namespace

TEST_CASE("modules: functions, constants and exported variables") {
  test::Files files;
  files.texts["lib.vsl"] =
      "import \"deep\" as d; const HIDDEN = 1; export const SEEN = 2; let n = 1; export n as count; n = 5;"
      "fn f(x) { g(x) + global::HIDDEN } private fn g(x) { x * 10 } fn h() { d::name() }";
  files.texts["deep.vsl"] = "fn name() { \"deep\" } export const DEEP = [1];";
  const auto main = [&files](const std::string& text) {
    files.texts["main.vsl"] = text;
    return evaluated(files);
  };
  CHECK(main("import \"lib\" as m; [m::f(2), m::SEEN, m::count, m::h()]") == "[21, 2, 5, \"deep\"]");
  CHECK(main("import \"lib\" as m; fn f() { m::f(1) } f()") == "11");
  CHECK(main("import \"lib\" as m; [m::d::name(), m::d::DEEP]") == "[\"deep\", [1]]");
  CHECK(main("import \"lib\" as m; m::g(1)") == "error: Function not found: m::g (i64)");
  CHECK(main("import \"lib\" as m; m::HIDDEN") == "error: Variable not found: m::HIDDEN");
  CHECK(main("fn f() { import \"lib\" as m; m::SEEN } f()") == "2");
  CHECK(main("import \"lib\"; 1") == "1");
  CHECK(main("nowhere::f()") == "error: Function not found: nowhere::f ()");
  CHECK(main("nowhere::X") == "error: Module not found: nowhere");
}

TEST_CASE("modules: a failure while one is evaluated names its file") {
  test::Files files;
  files.texts["main.vsl"] = "import \"lib\" as m; 1";
  files.texts["lib.vsl"] = "\n1 / 0";
  LoadOptions options;
  options.is_checked = false;
  auto loaded = load("main", files, test::standard_natives(), {}, options);
  REQUIRE(loaded);
  REQUIRE(loaded->failure);
  CHECK(render(*loaded->failure, loaded->sources()) == "lib.vsl:2:1: error: Division by zero: 1 / 0\n");
}

TEST_CASE("dialect: directives are maps") {
  CHECK(hosted("let r = rule \"a\" || 5; [r.type, r.name, r.evaluate.call()]") == "[\"rule\", \"a\", 5]");
  CHECK(hosted("let r = action \"b\" #{ description: \"x\", evaluate: || 6 }; [r.type, r.name, r.description, r.evaluate.call()]") ==
        "[\"action\", \"b\", \"x\", 6]");
  CHECK(hosted("let s = 9; let r = delegate s \"c\" || 7; [r.type, r.name, r.service]") == "[\"delegate\", \"c\", 9]");
  CHECK(hosted("let m = #{ connect: [ rule \"a\" || 1, action \"b\" || { 2 } ] }; m.connect[1].evaluate.call()") == "2");
}

TEST_CASE("dialect: declarations are constants made by the host") {
  CHECK(hosted("object a ip4 = \"four\"; a.x") == "4.0");
  CHECK(hosted("object a string = \"four\"; fn f() { global::a } f()") == "\"four\"");
  CHECK(hosted("object g group = \"x\"; let l = [object b ip4 = \"1\", object c ip4 = \"22\"]; [b.x, c.x, l[1].x]") == "[1.0, 2.0, 2.0]");
  CHECK(hosted("fn f(x) { object r string = `550 ${x}`; } f(1)") == "\"550 1\"");
  CHECK(hosted("fn f() { let t = [object r string = \"a\", object s string = \"b\"]; let u = 1; r + s + t[0] } f()") == "\"aba\"");
  CHECK(hosted("object a string = \"1\"; object a string = \"2\"; a") == "\"2\"");
  CHECK(hosted("object a ip4 = 5; 1") == "error: no text");
  test::Files files;
  files.texts["main.vsl"] = "import \"o\" as o; o::net.x";
  files.texts["o.vsl"] = "object net ip4 = \"12345\";";
  CHECK(evaluated(files, natives()) == "5.0");
}

TEST_CASE("host: objects are handles with operations of their own") {
  CHECK(hosted("let p = point(3); let q = p; q.x = 7; p.x") == "7.0");
  CHECK(hosted("let m = #{p: point(3)}; m.p.x += 1; m.p.x") == "4.0");
  CHECK(hosted("const P = point(3); P.x = 8; P.x") == "error: Cannot assign to constant P");
  CHECK(hosted("HOME.x = 8; HOME.x") == "8.0");
  CHECK(hosted("let p = point(3); [p.doubled, p.doubled(), doubled(p)]") == "[6.0, 6.0, 6.0]");
  CHECK(hosted("type_of(pt(1)) + point(2)") == "\"pointpoint 2.0\"");
  CHECK(hosted("[point(3) == 3, 3 == point(3), point(3) != 4, point(3) == \"3\", [point(1)] == [1]]") == "[true, true, true, false, true]");
  CHECK(hosted("let p = point(3); p == p && p != point(3)") == "true");
  CHECK(hosted("[2 in point(3), 3 in point(3), 1 in [\"a\", point(2)], \"x\" in [point(2)]]") == "[true, false, true, false]");
  CHECK(hosted("\"x\" in point(2)") == "error: no number");
  CHECK(hosted("let s = []; for e in point(3) { s.push(e); } s") == "[0, 10, 20]");
  CHECK(hosted("[point(3) + 1, 1 + point(3)]") == "[4.0, 301.0]");
  CHECK(hosted("point(3) * 2") == "error: Function not found: * (point, i64)");
  CHECK(hosted("point(3).y") == "error: Unknown property 'y' - a getter is not registered for type 'point'");
  CHECK(hosted("point(3).y = 1") .starts_with("error:"));
  CHECK(hosted("let p = point(3); p.y = 1") == "error: No writable property 'y' - a setter is not registered for type 'point'");
  CHECK(hosted("point(3)[0]") == "error: Indexer not registered for 'point [i64]'");
}

TEST_CASE("host: constants, namespaces, overloads, failures") {
  CHECK(hosted("[ANSWER, ANSWER()]") == "[42, 42]");
  CHECK(hosted("fn f() { ANSWER } f()") == "42");
  CHECK(hosted("toml::server.domain") == "\"gate.example\"");
  CHECK(hosted("fn f() { let c = toml::server; c.domain = \"mine\"; [c.domain, toml::server.domain] } f()") == "[\"mine\", \"gate.example\"]");
  CHECK(hosted("toml::nothing") == "error: Variable not found: toml::nothing");
  CHECK(hosted("[host::greet(\"x\"), host::greet(1)]") == "[\"hello x\", \"a number\"]");
  CHECK(hosted("host::greet(true)") == "error: Function not found: greet (bool)");
  CHECK(hosted("let r = 0; try { fails(); } catch (e) { r = [type_of(e), \"invalid\" in e]; } r") == "[\"string\", true]");
  CHECK(hosted("fails()") == "error: invalid thing");
  CHECK(hosted("try { fails(); } catch { throw; }") == "error: invalid thing");
}

TEST_CASE("program: each run has its own copies of captured variables, and nobody changes the constants") {
  test::Files files;
  files.texts["main.vsl"] =
      "let n = 1; const LIST = [1, 2]; #{ count: || { n += 1; n }, other: || n, list: || { let l = LIST; l.push(n); l.len }, same: || LIST }";
  auto loaded = load("main", files, natives(), test::kDialect, test::unchecked());
  REQUIRE(loaded);
  REQUIRE(loaded->program);
  const Map& map = loaded->program->value().as_map();
  for (int i = 0; i < 2; ++i) {
    Run run(*loaded->program, Budget{});
    CHECK(run.call(*map.find("count"))->as_int() == 2);
    CHECK(run.call(*map.find("count"))->as_int() == 3);
    CHECK(run.call(*map.find("other"))->as_int() == 3);
    CHECK(run.call(*map.find("list"))->as_int() == 3);
    CHECK(debug_of(*run.call(*map.find("same"))) == "[1, 2]");
  }
}

TEST_CASE("program: many threads run one program") {
  test::Files files;
  files.texts["main.vsl"] =
      "object p ip4 = \"four\"; const TEXTS = #{\"a rather long key of the map\": \"a rather long text, not inline\", b: [1, 2, 3]};"
      "fn work(n) { let t = global::TEXTS; let s = \"\"; for i in 0..n { t.b.push(i); s += t[\"a rather long key of the map\"] + i; }"
      " if global::p.x != 4 { throw \"bad\"; } s.len + t.b.len() } 1";
  auto loaded = load("main", files, natives(), test::kDialect, test::unchecked());
  REQUIRE(loaded);
  REQUIRE(loaded->program);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        Run run(*loaded->program, Budget{});
        const Result result = run.call("work", std::initializer_list<Value>{100});
        if (result && result->as_int() == 100 * 30 + 190 + 103) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 200);
}

TEST_CASE("run: functions of the host find its context, print and debug their sinks") {
  test::Files files;
  files.texts["main.vsl"] = "fn f() {\n  print(\"a\");\n  debug(\"b\");\n}";
  auto loaded = load("main", files, natives(), test::kDialect, test::unchecked());
  REQUIRE(loaded);
  std::string seen;
  Sinks sinks;
  sinks.print = [&seen](std::string_view text) { seen += "print " + std::string(text) + ";"; };
  sinks.debug = [&](std::string_view text, Span where) {
    seen += "debug " + std::string(text) + " line " + std::to_string(loaded->sources().locate(where).line) + ";";
  };
  int context = 5;
  Run run(*loaded->program, Budget{}, &context, sinks);
  CHECK(run.call("f"));
  CHECK(seen == "print a;debug \"b\" line 3;");
  CHECK(run.host<int>() == 5);
}
