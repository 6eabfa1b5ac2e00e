// Functions, `this`, closures, function pointers, constants: specification 1.4 and 1.6, a row a behaviour.
#include <doctest/doctest.h>

#include <span>

#include "vsl-filter/lang/test_script.h"

using vsl::test::evaluated;

namespace {

struct Row {
  std::string_view script;
  std::string_view expected;
};

void check_rows(std::span<const Row> rows) {
  for (const auto& [script, expected] : rows) {
    CAPTURE(script);
    CHECK(evaluated(std::string(script)) == expected);
  }
}

}  // namespace

TEST_CASE("language: calls") {
  constexpr Row kRows[] = {
      {"fn f(a, b) { a - b } f(5, 3)", "2"},
      {"fn f() { 0 } fn f(a) { 1 } fn f(a, b) { 2 } [f(), f(1), f(1, 2)]", "[0, 1, 2]"},
      {"fn f(a) { a } f(1, 2)", "error: Function not found: f (i64, i64)"},
      {"fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } } fib(20)", "6765"},
      {"fn f(x) { if x > 0 { return \"yes\"; } } [f(1), f(0)]", "[\"yes\", ()]"},
      {"fn f(a) { a = 5; a } let a = 1; [f(a), a]", "[5, 1]"},
      {"fn even(n) { if n == 0 { true } else { odd(n - 1) } } fn odd(n) { if n == 0 { false } else { even(n - 1) } } even(50)", "true"},
      {"fn f() { return; } f()", "()"},
      {"fn f(a, b, c, d, e, g, h, i, j, k) { a + k } f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", "11"},
      {"fn abs(x) { \"mine\" } [abs(-3), (-3).abs()]", "[\"mine\", 3]"},
      {"is_def_fn(\"f\", 1)", "false"},
      {"fn f(a) { } is_def_fn(\"f\", 1)", "true"},
      {"return 5; 6", "5"},
      {"exit(7); 8", "7"},
      {"fn f() { exit(7) } try { f(); } catch { } 8", "7"},
      {"[1, 2].map(|x| exit(x))", "1"},
  };
  check_rows(kRows);
}

TEST_CASE("language: this") {
  constexpr Row kRows[] = {
      {"fn inc() { this += 1; } let x = 1; x.inc(); x.inc(); x", "3"},
      {"fn set(v) { this = v; } let m = #{a: 1}; m.a.set([2]); m", "#{\"a\": [2]}"},
      {"fn set(v) { this.b = v; } let m = [#{}]; m[0].set(2); m", "[#{\"b\": 2}]"},
      {"fn twice() { this.once(); this.once(); } fn once() { this.push(0); } let a = []; a.twice(); a", "[0, 0]"},
      {"fn f() { this.push(1); throw \"x\"; } let a = []; try { a.f(); } catch { } a", "[1]"},
      {"fn f() { this.push(1); throw \"x\"; } let m = #{a: []}; try { m.a.f(); } catch { } m", "#{\"a\": [1]}"},
      {"fn f() { this } f()", "error: 'this' is not bound"},
      {"fn f() { this += 1 } f()", "error: 'this' is not bound"},
      {"let o = #{n: 1, inc: |d| { this.n += d; this.n }}; [o.inc(5), o.n]", "[6, 6]"},
      {"let o = #{n: 1, inc: || this.n += 1}; let p = #{o: o}; p.o.inc(); [o.n, p.o.n]", "[1, 2]"},
      {"fn f() { this += 1; } let x = 1; let c = || x; x.f(); [x, c.call()]", "[2, 2]"},
      {"fn f() { this += 1; this } [1.f(), (1 + 1).f()]", "[2, 3]"},
      {"fn f(g) { g.call(); this += 1; } let x = 1; let c = || x += 10; x.f(c); x", "12"},
      {"let x = [3, 1, 2]; x.sort(|a, b| a - b); x", "[1, 2, 3]"},
      {"let x = [1, 2]; x.for_each(|| this *= 2); x", "[2, 4]"},
      {"fn f(x) { x.push(this); this = x; } let a = [1]; a.f(a); a", "[1, [1]]"},
  };
  check_rows(kRows);
}

TEST_CASE("language: constants") {
  constexpr Row kRows[] = {
      {"const X = 1; X", "1"},
      {"const X = 1; X = 2", "error: Cannot assign to constant X"},
      {"fn f() { const X = [1]; X.push(2); X } f()", "error: Non-pure method 'push' cannot be called on constant"},
      {"const T = \" x \"; T.trim()", "error: Non-pure method 'trim' cannot be called on constant"},
      {"fn f() { this.push(1); } const A = []; A.f()", "error: Non-pure method 'push' cannot be called on constant"},
      {"const A = #{l: []}; A.l.push(1)", "error: Non-pure method 'push' cannot be called on constant"},
      {"fn f() { const A = #{l: []}; A.l.push(1) } f()", "error: Non-pure method 'push' cannot be called on constant"},
      {"const A = []; push(A, 1)", "error: Non-pure method 'push' cannot be called on constant"},
      {"const A = #{l: [2, 1]}; let l = A.l; l.push(0); l.sort(); [A.l.len(), l]", "[2, [0, 1, 2]]"},
      {"fn f() { this = 1; } const A = []; A.f()", "error: Cannot assign to constant this"},
      {"const A = [1, 2]; A.len() + A.len", "4"},
      {"const A = [3, 4]; let b = A; b.push(5); [A, b]", "[[3, 4], [3, 4, 5]]"},
      {"fn f() { global::X } const X = 3; f()", "3"},
      {"fn f() { 4 } fn g(a) { global::f() + a } global::g(1)", "5"},
      {"fn add(add) { global::add(add, 1) } fn add(a, b) { a + b } add(2)", "3"},
      {"global::abs(-3)", "3"},
      {"fn f() { global::X } let r = f(); const X = 3; r", "error: Variable not found: X"},
      {"const X = 1; const F = || X + 1; F.call()", "2"},
  };
  check_rows(kRows);
}

TEST_CASE("language: closures and function pointers") {
  constexpr Row kRows[] = {
      {"let f = |a, b| a * b; f.call(3, 4)", "12"},
      {"let f = |x| x; call(f, 3)", "3"},
      {"let f = |x| x; f.call()", "error: Function not found: closure ()"},
      {"let f = |x| x; f(1)", "error: Function not found: f (i64)"},
      {"let f = 5; f.call(1)", "error: Function not found: call (i64, i64)"},
      {"fn add(a, b) { a + b } let f = Fn(\"add\"); [f.call(1, 2), f.name]", "[3, \"add\"]"},
      {"Fn(\"nope\").call(1)", "error: Function not found: nope (i64)"},
      {"fn add(a, b) { a - b } let f = Fn(\"add\").curry(10); f.call(3)", "7"},
      {"let f = |a, b, c| [a, b, c]; f.curry(1).curry(2).call(3)", "[1, 2, 3]"},
      {"let n = 5; let f = |a, b| [a, b, n]; f.curry(1).call(2)", "[1, 2, 5]"},
      {"Fn(\"to_upper\").call(\"x\")", "\"X\""},
      {"fn twice(x) { x * 2 } [1, 2].map(\"twice\")", "[2, 4]"},
      {"fn twice(x) { x * 2 } [1, 2].map(Fn(\"twice\"))", "[2, 4]"},
      {"let n = 1; let f = || n; n = 2; f.call()", "2"},
      {"let n = 1; let f = || { let g = || n += 1; g.call(); n }; [f.call(), f.call(), n]", "[2, 3, 3]"},
      {"fn counter() { let n = 0; || { n += 1; n } } let a = counter(); let b = counter(); [a.call(), a.call(), b.call()]", "[1, 2, 1]"},
      {"fn f(x) { let g = || x * 2; x = 5; g.call() } f(1)", "10"},
      {"let x = 1; let y = 2; let f = || x; [x.is_shared(), is_shared(y)]", "[true, false]"},
      {"let n = 0; [is_shared(1), \"\".is_shared(), is_shared({ n += 1; n }), n]", "[false, false, false, 1]"},
      {"let a = [1]; let f = || a.push(2); f.call(); f.call(); a", "[1, 2, 2]"},
      {"let m = #{a: 1}; let f = || m.a += 1; f.call(); m", "#{\"a\": 2}"},
      {"let f = |n| if n == 0 { 0 } else { n }; [f.call(0), f.call(4)]", "[0, 4]"},
      {"let f = || throw \"x\"; f.call()", "error: Runtime error: x"},
      {"let total = 0; [1, 2, 3].for_each(|| total += this); total", "6"},
      {"[1, 2, 3].filter(|x| x > 1).map(|x| x * 10)", "[20, 30]"},
      {"[[1], [2]].map(|a| a.map(|x| x + 1))", "[[2], [3]]"},
      {"let fs = [|| 1, || 2]; fs[1].call()", "2"},
      {"let m = #{f: |x| x + 1}; m.f(1)", "2"},
      {"let m = #{f: |x| x + 1}; m.f.call(1)", "2"},
      {"type_of(|| 1)", "\"Fn\""},
      {"let a = [1, 2, 3]; let f = || a.len; a.retain(|x| x > f.call() - 2); a", "[2, 3]"},
  };
  check_rows(kRows);
}

TEST_CASE("language: closures inside of native callbacks fail with their own failure") {
  CHECK(evaluated("[1, 0].map(|x| 1 / x)") == "error: Division by zero: 1 / 0");
  CHECK(evaluated("let r = 0; try { [1, 0].map(|x| 1 / x); } catch (e) { r = e.error; } r") == "\"ErrorArithmetic\"");
}
