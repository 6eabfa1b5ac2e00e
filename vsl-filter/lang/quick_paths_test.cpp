// Code that is optimized does what plain code does: loops, tables for switch, constants computed, calls that are not made.
#include <doctest/doctest.h>

#include <string>

#include "vsl-filter/lang/compiler.h"
#include "vsl-filter/lang/test_script.h"

using namespace vsl;

namespace {

struct Row {
  std::string_view script, expected;
};

void check_rows(std::span<const Row> rows) {
  LoadOptions plain = test::unchecked();
  plain.is_optimized = false;
  for (const auto& [script, expected] : rows) {
    CAPTURE(script);
    CHECK(test::evaluated(std::string(script)) == expected);
    CHECK(test::evaluated(std::string(script), plain) == expected);
  }
}

// Whether the code of the top level has such an instruction.
bool has(std::string_view instruction, std::string script) {
  test::Files files;
  const Loaded loaded = load(LoadedText{"test.vsl", std::move(script)}, files, test::standard_natives(), test::kDialect, test::unchecked());
  return loaded.program && disassemble(*loaded.program->main().top_level).find("\t" + std::string(instruction) + "\t") != std::string::npos;
}

// A switch over "word 0" to "word 199" and 0 to 199.
std::string large_switch(std::string_view subject) {
  std::string script = "fn f(x) { switch x { ";
  for (int n = 0; n < 200; ++n) script += "\"word " + std::to_string(n) + "\" | " + std::to_string(n) + " => " + std::to_string(n * 7) + ", ";
  return script + "_ => \"none\" } } " + std::string(subject);
}

}  // namespace

TEST_CASE("language: loops that compare variables and numbers") {
  constexpr Row kRows[] = {
      {"let i = 0; let n = 3; let s = []; while i < n { s.push(i); i += 1; } s", "[0, 1, 2]"},
      {"let i = 0; let n = 3; let s = 0; while i <= n { i += 1; if i == 2 { continue; } s += i; } s", "8"},
      {"let i = 5; let n = 3; while i > n { i -= 1; } i", "3"},
      {"let i = 5; let n = 3; while i >= n { i -= 1; } i", "2"},
      {"let i = 0; while i < 3 { i += 1; } i", "3"},
      {"let i = 0; while i <= 3 { i += 1; } i", "4"},
      {"let i = 9; while i > 3 { i -= 1; } i", "3"},
      {"let i = 9; while i >= 3 { i -= 1; } i", "2"},
      {"let i = 7; while i < 3 { i += 1; } i", "7"},
      {"let i = 0.0; let n = 2; while i < n { i += 0.5; } i", "2.0"},
      {"let i = 0; while i < 10 { i += 1; if i == 4 { break; } } i", "4"},
      {"let i = 0; do { i += 1; } while i < 3; i", "3"},
      {"let i = 9; do { i += 1; } while i < 3; i", "10"},
      {"let i = 0; let n = 0; do { i += 1; if i == 2 { continue; } n += 1; } while i < 4; [i, n]", "[4, 3]"},
      {"let i = 0; while i < 3 { i = [i]; } i", "[0]"},                  // an array and a number have no order
      {"let i = \"a\"; let n = \"aaa\"; while i < n { i += \"a\"; } i", "\"aaa\""},
      {"let i = []; let n = []; while i < n { }", "error: Function not found: < (array, array)"},
      {"let i = 1; let n = 2; while i < n { i = []; n = []; }", "error: Function not found: < (array, array)"},
      {"let s = []; for i in 0..3 { s.push(i); i = 9; } s", "[0, 1, 2]"},
      {"let s = []; for (x, i) in 5..=7 { if x == 6 { continue; } s.push(x * 10 + i); } s", "[50, 72]"},
      {"let s = 0; for i in 9223372036854775806..=9223372036854775807 { s += 1; } s", "2"},
      {"let s = []; for i in 0..2 { for j in i..2 { s.push([i, j]); } } s", "[[0, 0], [0, 1], [1, 1]]"},
      {"let f = []; for i in 0..3 { f.push(|| i); } f[0].call()", "2"},
      {"for i in 0..5 { if i == 3 { break i * 2; } }", "6"},
  };
  check_rows(kRows);
  CHECK(has("AgainLess", "let i = 0; let n = 3; while i < n { i += 1; }"));
  CHECK(has("AgainGreaterI", "let i = 5; do { i -= 1; } while i > 0;"));
  CHECK(has("ForRangeAgain", "for i in 0..3 { }"));
}

TEST_CASE("language: constants put into parts, values pushed") {
  constexpr Row kRows[] = {
      {"let a = [1, 2]; let b = a; let i = 1; a[i] = 'x'; [a, b]", "[[1, 'x'], [1, 2]]"},
      {"let a = [1]; let i = -1; a[i] = \"a text that is no short one\"; a", "[\"a text that is no short one\"]"},
      {"let a = [1]; let i = 1; a[i] = 0; a", "error: Array index 1 out of bounds: only 1 element in array"},
      {"let m = #{}; let k = \"x\"; m[k] = true; m", "#{\"x\": true}"},
      {"let s = \"abc\"; let i = 1; s[i] = 'X'; s", "\"aXc\""},
      {"let n = 5; let i = 1; n[i] = true; n", "7"},
      {"const A = [1]; let i = 0; A[i] = 2;", "error: Cannot assign to constant A"},
      {"let a = [1]; let i = \"x\"; a[i] = 2;", "error: Indexer not registered for 'array [string]'"},
      {"let a = []; let b = a; a.push(1); a.push(2); b.push(3); [a, b]", "[[1, 2], [3]]"},
      {"let a = [1]; a.push(a); a.push(a); a", "[1, [1], [1, [1]]]"},
      {"let a = []; for i in 0..10 { a.push(i); } [a.len, a.push(1)]", "[10, ()]"},
      {"let a = 1; a.push(2)", "error: Function not found: push (i64, i64)"},
      {"fn push(x) { this = x; } let a = [1]; a.push(2); a", "2"},
      {"let a = #{ push: |x| { this.y = x; } }; a.push(2); a.y", "2"},
      {"const A = [1]; A.push(2)", "error: Non-pure method 'push' cannot be called on constant"},
      {"fn f() { this.push(2); } let a = [1]; a.f(); a", "[1, 2]"},
      {"let a = [1]; let f = || a.push(2); f.call(); a", "[1, 2]"},
  };
  check_rows(kRows);
  CHECK(has("SetIndexK", "let a = [1]; let i = 0; a[i] = false;"));
  CHECK(has("CallPush", "let a = []; a.push(1);"));
}

TEST_CASE("budget: many pushes end at the limit of elements") {
  LoadOptions options = test::unchecked();
  options.budget.memory.elements = 1000;
  CHECK(test::evaluated("let a = []; for i in 0..1000 { a.push(i); } a.len", options) == "1000");
  CHECK(test::evaluated("let a = []; for i in 0..1001 { a.push(i); } a.len", options) == "error: Array too large");
  options.budget.operations = 100;
  CHECK(test::evaluated("let a = []; loop { a.push(1); }", options) == "error: Too many operations");
}

TEST_CASE("language: switch with many labels") {
  constexpr Row kRows[] = {
      {"fn f(x) { switch x { 1 => 'a', 2 | 3 => 'b', \"x\" => 'c', 'y' => 'd', () => 'u', true => 't', _ => 'z' } } "
       "[f(1), f(2), f(3), f(\"x\"), f('x'), f(\"y\"), f('y'), f(()), f(true), f(false), f(4), f(\"xy\"), f([]), f(2.0), f(2.5)]",
       "['a', 'b', 'b', 'c', 'c', 'd', 'd', 'u', 't', 'z', 'z', 'z', 'z', 'b', 'z']"},
      // what a table does not decide comes behind it
      {"fn f(x) { switch x { 1 => 'a', 2 => 'b', 3 => 'c', 4 => 'd', 4 => 'e', 0..10 => 'r', 20.0 => 'f', [1] => 'l' } } "
       "[f(1), f(4), f(5), f(20), f([1]), f(30)]",
       "['a', 'd', 'r', 'f', 'l', ()]"},
      {"fn f(x, y) { switch x { 1 => 'a', 2 => 'b', 3 => 'c', 4 => 'd', 5 if y => 'e', 5 => 'f', 6 => 'g' } } "
       "[f(2, true), f(5, true), f(5, false), f(6, false), f(7, true)]",
       "['b', 'e', 'f', 'g', ()]"},
      {"let x = 3; switch x { 1 => 0, 2 => 0, 3 => { x = 9; }, 4 => 0 } x", "9"},
      {"fn f(x) { for i in 0..3 { switch x { 1 => break, 2 => return 'r', 3 => throw 't', 4 => { } } } 'e' } [f(1), f(2), f(4)]", "['e', 'r', 'e']"},
      {"switch \"a text that is no short one\" { \"a\" => 1, \"b\" => 2, \"c\" => 3, \"a text that is no short one\" => 4 }", "4"},
      {"switch -1 { 9223372036854775807 => 1, 0 => 2, -1 => 3, 1 => 4 }", "3"},
  };
  check_rows(kRows);
  CHECK(test::evaluated(large_switch("[f(0), f(199), f(200), f(-1), f(\"word 0\"), f(\"word 77\"), f(\"word 200\"), f(5.0)]")) ==
        "[0, 1393, \"none\", \"none\", 0, 539, \"none\", 35]");
  CHECK(has("Switch", "switch 1 { 1 => 1, 2 => 2, 3 => 3, 4 => 4 }"));
  CHECK_FALSE(has("Switch", "switch 1 { 1 => 1, 2 => 2, 3 => 3 }"));
  CHECK_FALSE(has("Switch", "switch 1 { 1 if true => 1, 2 => 2, 3 => 3, 4 => 4 }"));
}

TEST_CASE("budget: a switch takes no longer with more labels") {
  LoadOptions options = test::unchecked();
  options.budget.operations = 600;
  CHECK(test::evaluated(large_switch("for i in 0..100 { f(\"word 199\"); } 1"), options) == "1");
}

TEST_CASE("language: what ?. does not call evaluates no arguments") {
  constexpr Row kRows[] = {
      {"let a; a?.push(throw_it())", "()"},
      {"let a; a?.f(1 / 0, b)", "()"},
      {"let a = #{}; a.b?.push(1 / 0)", "()"},
      {"let a; a?.b.push(1 / 0)", "()"},
      {"let n = 0; let a; a?.push({ n += 1; n }); n", "0"},
      {"let n = 0; let a = []; a?.push({ n += 1; n }); [n, a]", "[1, [1]]"},
      {"fn f() { () } f()?.push(1 / 0)", "()"},
      {"let a = [#{b: ()}]; let n = 0; a[{ n += 1; 0 }].b?.push(1 / 0); n", "1"},
      {"let a; a?.b?.c(1 / 0) ?? 7", "7"},
      {"let a; let f = || a; a?.push(1 / 0)", "()"},
      {"let a = 1; a?.push(1 / 0)", "error: Division by zero: 1 / 0"},
      {"fn f() { this?.push(1 / 0) } f()", "error: 'this' is not bound"},
  };
  check_rows(kRows);
}

TEST_CASE("language: methods change the part of the variable that they are called on") {
  constexpr Row kRows[] = {
      {"fn f() { this += 1; } let a = #{b: #{c: 1}}; a.b.c.f(); a", "#{\"b\": #{\"c\": 2}}"},
      {"fn f() { this.x = 2; } let a = [#{}]; a[0].f(); a", "[#{\"x\": 2}]"},
      {"fn f() { this.push(3); } let a = #{b: [[1]]}; let i = 0; a.b[i].f(); a", "#{\"b\": [[1, 3]]}"},
      {"fn f() { this.push(3); } let a = #{b: [1]}; let b = a; a.b.f(); [a.b, b.b]", "[[1, 3], [1]]"},
      {"fn f() { this.b.g(); } fn g() { this = 7; } let a = #{b: 1}; a.f(); a", "#{\"b\": 7}"},
      {"let a = #{b: #{n: 1, up: || this.n += 1}}; a.b.up(); a.b.up(); a.b.n", "3"},
      {"let a = #{b: #{n: 1, get: |x| { this.n += x; this.n }}}; [a.b.get(2), a.b.n]", "[3, 3]"},  // although maps have a get()
      {"let a = #{b: #{n: 1, len: || { this.n = 5; }}}; a.b.len(); a.b.n", "5"},
      {"const A = #{b: #{n: 1, len: || { this.n = 5; }}}; A.b.len(); A.b.n", "error: Cannot assign to constant this"},
      {"let a = #{b: [3, 1]}; a.b.sort(); a.b.push(9); a.b[0].set_bit(3, true); a", "#{\"b\": [9, 3, 9]}"},
  };
  check_rows(kRows);
}
