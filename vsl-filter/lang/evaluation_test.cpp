// What scripts evaluate to: specification 1.2 to 1.6, a row a behaviour.
#include <doctest/doctest.h>

#include <span>

#include "vsl-filter/lang/test_script.h"

using vsl::test::evaluated;

namespace {

struct Row {
  std::string_view script;
  std::string_view expected;  // the value in debug form, or "error: TEXT"
};

void check_rows(std::span<const Row> rows) {
  for (const auto& [script, expected] : rows) {
    CAPTURE(script);
    CHECK(evaluated(std::string(script)) == expected);
  }
}

}  // namespace

TEST_CASE("language: arithmetic") {
  constexpr Row kRows[] = {
      {"1 + 2 * 3", "7"},
      {"7.0 / 2", "3.5"},
      {"1 + 2.5", "3.5"},
      {"2 ** 10", "1024"},
      {"2.0 ** -1", "0.5"},
      {"2 ** -1", "error: Integer raised to a negative power: 2 ** -1"},
      {"3 ** 40", "error: Exponential overflow: 3 ** 40"},
      {"(-2) ** 63", "-9223372036854775808"},
      {"-9223372036854775807 - 2", "error: Subtraction overflow: -9223372036854775807 - 2"},
      {"let a = 4611686018427387904; a * 2", "error: Multiplication overflow: 4611686018427387904 * 2"},
      {"let a = 9223372036854775807; a += 1; a", "error: Addition overflow: 9223372036854775807 + 1"},
      {"let a = -9223372036854775807 - 1; -a", "error: Negation overflow: --9223372036854775808"},
      {"let a = 1; a / 0", "error: Division by zero: 1 / 0"},
      {"1 % 0", "error: Modulo division by zero: 1 % 0"},
      {"let a = -9223372036854775807 - 1; a % -1", "0"},
      {"1.0 / 0", "inf"},
      {"1 << 3 | 1", "9"},
      {"[1 << 64, 1 << -1, -8 >> 1, -8 >> 100, 8 >> -1]", "[0, 0, -4, -1, 16]"},
      {"6 & 3", "2"},
      {"5 ^ 1", "4"},
      {"true & false | true", "true"},
      {"5 & 3 == 3", "error: Function not found: & (i64, bool)"},
      {"-5 + +3", "-2"},
      {"let x = 5; x -= 2; x *= 4; x /= 3; x %= 3; x **= 5; x <<= 2; x >>= 1; x |= 4; x &= 6; x ^= 1; x", "7"},
      {"5[0] && !5[1] && 5[2]", "true"},
      {"0b1100[2..=3]", "3"},
      {"let n = 0; n[3] = true; n", "8"},
      {"1 + ()", "error: Function not found: + (i64, ())"},
  };
  check_rows(kRows);
}

TEST_CASE("language: equality and order") {
  constexpr Row kRows[] = {
      {"[1, [2, #{a: 3}]] == [1.0, [2, #{a: 3}]]", "true"},
      {"#{a: 1} == #{a: 2}", "false"},
      {"#{a: 1} != #{b: 1}", "true"},
      {"() == ()", "true"},
      {"1 == \"1\"", "false"},
      {"\"a\" == 'a' && 'a' != \"ab\"", "true"},
      {"1..3 == 1..3 && 1..3 != 1..=3", "true"},
      {"1 < 2.5 && 2.5 <= 2.5", "true"},
      {"\"a\" < \"b\" && 'a' < 'b' && 'a' < \"b\" && false < true", "true"},
      {"() < 1", "false"},
      {"1 < 2 < 3", "false"},
      {"let a = \"x\"; if a > 1 { 1 } else { 2 }", "2"},
      {"[1] < [2]", "error: Function not found: < (array, array)"},
      {"let a = 0.0 / 0.0; a == a", "false"},
      {"let a = 0.0 / 0.0; if a < 1 { 1 } else if !(a >= 1) { 2 } else { 3 }", "2"},
      {"let f = |x| x; let g = f; f == g && f != |x| x", "true"},
      {"3 in 1..=3 && 3 !in 1..3", "true"},
      {"\"b\" in \"abc\" && 'c' in \"abc\" && \"x\" !in \"abc\"", "true"},
      {"\"k\" in #{k: ()} && \"l\" not in #{k: ()}", "true"},
      {"1 in 5", "error: cannot look for a 'i64' object in a 'i64' object"},
  };
  check_rows(kRows);
}

TEST_CASE("language: conditions must be bool") {
  constexpr Row kRows[] = {
      {"let a = 1; if a { 2 }", "error: Expecting a boolean expression, not a i64"},
      {"let a = \"\"; while a { }", "error: Expecting a boolean expression, not a string"},
      {"let a = 1; true && a", "error: Expecting a boolean expression, not a i64"},
      {"let a = 1; a || true", "error: Expecting a boolean expression, not a i64"},
      {"let a = (); !a", "error: Expecting a boolean expression, not a ()"},
      {"let a = 1; do { } until a", "error: Expecting a boolean expression, not a i64"},
      {"let a = 1; switch 1 { 1 if a => 2 }", "error: Expecting a boolean expression, not a i64"},
      {"false && 1 / 0 == 0", "false"},
      {"true || 1 / 0 == 0", "true"},
      {"let x = true; x = x && !x; x", "false"},
      {"let x = 3; let y = (); (y ?? x) + (x ?? 1 / 0)", "6"},
  };
  check_rows(kRows);
}

TEST_CASE("language: strings and text") {
  constexpr Row kRows[] = {
      {"\"a\" + 1 + true + () + 'c' + 2.0 + [1, \"x\"]", "\"a1truec2.0[1, \\\"x\\\"]\""},
      {"1 + \"a\"", "\"1a\""},
      {"\"abcb\" - \"b\"", "\"ac\""},
      {"let s = \"hello\"; s[0] = 'J'; s", "\"Jello\""},
      {"let s = \"héllo\"; [s[1], s[-4], s[1..3], s[1..=2], s[3..99]]", "['é', 'é', \"él\", \"él\", \"lo\"]"},
      {"\"\"[0]", "error: String index 0 out of bounds: string is empty"},
      {"\"ab\"[2]", "error: String index 2 out of bounds: only 2 characters in string"},
      {"let s = \"\"; for i in 0..20 { s += \"ab\"; } s.len", "40"},
      {"let s = \"ab\"; let t = s; s += \"c\"; t + s", "\"ababc\""},
      {"let s = \"a long text, longer than short ones\"; let t = s; s += \"!\"; [t.len, s.len]", "[35, 36]"},
      {"let x = 5; `a${x}b${ let y = x; y * 2 }c${\"`\"}`", "\"a5b10c`\""},
      {"`${()}|${[()]}|${'c'}`", "\"|[()]|c\""},
      {"``", "\"\""},
  };
  check_rows(kRows);
}

TEST_CASE("language: arrays, maps and their parts") {
  constexpr Row kRows[] = {
      {"let a = [1, 2, 3]; [a[0], a[-1]]", "[1, 3]"},
      {"[][0]", "error: Array index 0 out of bounds: array is empty"},
      {"let a = [1, 2]; a[-3]", "error: Array index -3 out of bounds: only 2 elements in array"},
      {"let a = [1]; a[1] = 2", "error: Array index 1 out of bounds: only 1 element in array"},
      {"let a = [1]; a[\"x\"]", "error: Indexer not registered for 'array [string]'"},
      {"let a = [[1], [2]]; a[1][0] += 5; a", "[[1], [7]]"},
      {"let a = [1, 2, 3]; a[1] = a; a", "[1, [1, 2, 3], 3]"},
      {"let a = [1]; a += 2; a += [3, 4]; a += [[5]]; a", "[1, 2, 3, 4, [5]]"},
      {"let a = [1]; a += a; a", "[1, 1]"},
      {"[1] + [2]", "[1, 2]"},
      {"let m = #{b: 1, a: 2}; m.c = 3; m[\"d\"] = 4; m", "#{\"a\": 2, \"b\": 1, \"c\": 3, \"d\": 4}"},
      {"let m = #{a: #{b: [1, 2]}}; m.a.b[0] = 9; m.a.c = 1; m", "#{\"a\": #{\"b\": [9, 2], \"c\": 1}}"},
      {"let m = #{}; m.x", "()"},
      {"let m = #{}; m.a.b", "error: Unknown property 'b' - a getter is not registered for type '()'"},
      {"let m = #{}; m.a.b = 1", "error: No writable property 'b' - a setter is not registered for type '()'"},
      {"let m = #{n: 1}; m.n += 1; m.n -= 3; m.n", "-1"},
      {"let m = #{}; m?.a?.b?[0]", "()"},
      {"let a = (); a?[0]", "()"},
      {"let a = [1]; a?[0]", "1"},
      {"#{a: 1} + #{b: 2, a: 3}", "#{\"a\": 3, \"b\": 2}"},
      {"let m = #{\"a key that is long enough\": 1}; m[\"a key that is \" + \"long enough\"]", "1"},
      {"let a = [1, 2]; let b = [a, a]; b[0][0] = 9; [a, b]", "[[1, 2], [[9, 2], [1, 2]]]"},
      {"let m = #{l: [1]}; m.l.push(2); let c = m; c.l.push(3); [m.l, c.l]", "[[1, 2], [1, 2, 3]]"},
      {"let m = #{l: [1]}; push(m.l, 2); m.l", "[1, 2]"},
      {"fn f() { [1, 2] } f()[1]", "2"},
      {"let i = 0; let a = [1, 2]; a[{ i += 1; i }] = 5; [a, i]", "[[1, 5], 1]"},
      {"let x = 1; [x, { x = 2; x }, x]", "[1, 2, 2]"},
      {"let x = 1; x + { x = 5; x }", "6"},
      {"let s = [1, 2]; s.len + { s.push(3); s.len }", "5"},
      {"5.foo", "error: Unknown property 'foo' - a getter is not registered for type 'i64'"},
  };
  check_rows(kRows);
}

TEST_CASE("language: blocks, scopes, control") {
  constexpr Row kRows[] = {
      {"let x = 1; { let x = 2; x = 3; } x", "1"},
      {"let x = 1; let x = x + 1; x", "2"},
      {"let x = if true { 1 } else { 2 }; x", "1"},
      {"let x = { }; x", "()"},
      {"let x; x", "()"},
      {"if false { 1 }", "()"},
      {"1; ;", "1"},
      {"let x = 1;", "()"},
      {"let s = 0; let i = 0; while i < 10 { i += 1; if i % 2 == 0 { continue; } if i > 7 { break; } s += i; } s", "16"},
      {"let i = 0; let x = while true { i += 1; if i == 3 { break i * 2; } }; x", "6"},
      {"let x = while false { }; x", "()"},
      {"let i = 0; do { i += 1; } while i < 5; i", "5"},
      {"let i = 0; do { i += 1; } until i >= 5; i", "5"},
      {"let i = 0; do { i += 1; if i == 2 { continue; } } while i < 1; i", "1"},
      {"let s = 0; for i in 0..5 { s += i; i = 100; } s", "10"},
      {"let s = 0; for i in 3..=1 { s += 1; } s", "0"},
      {"let s = 0; for i in 9223372036854775806..=9223372036854775807 { s += 1; } s", "2"},
      {"let s = 0; for i in -2..=2 { s += i; } s", "0"},
      {"let r = 1..4; let s = []; for i in r { s.push(i); } s", "[1, 2, 3]"},
      {"let s = []; for (x, i) in [\"a\", \"b\"] { s.push(i); s.push(x); } s", "[0, \"a\", 1, \"b\"]"},
      {"let a = [1, 2, 3]; for x in a { a.push(x); } a", "[1, 2, 3, 1, 2, 3]"},
      {"for x in 5 { }", "error: Expecting an iterable value, not a i64"},
      {"for x in #{} { }", "error: Expecting an iterable value, not a map"},
      {"for x in [1, 2, 3] { if x == 2 { break x * 10; } }", "20"},
      {"let f = []; for i in 0..3 { f.push(|| i); } [f[0].call(), f[2].call()]", "[2, 2]"},
      {"let f = []; for i in 0..3 { let j = i; f.push(|| j); } [f[0].call(), f[2].call()]", "[0, 2]"},
      {"let c = []; for i in 0..3 { for j in 0..3 { if j == 1 { continue; } if i == 1 { break; } c.push(i * 10 + j); } } c", "[0, 2, 20, 22]"},
      {"switch 'a' { \"a\" => 1 }", "1"},
      {"switch 1.0 { 1 => \"one\" }", "\"one\""},
      {"switch 2.5 { 1..3 => \"in\" }", "\"in\""},
      {"switch \"x\" { 1..3 => 1, \"y\" | \"x\" => 2, _ => 3 }", "2"},
      {"switch 7 { 1 => 2 }", "()"},
      {"switch [1, #{a: 2}] { [1, #{a: 2}] => true, _ => false }", "true"},
      {"switch () { () => 1 }", "1"},
      {"switch true { false => 1, true => 2 }", "2"},
      {"let x = 5; switch x { 5 if x > 5 => 1, 5 => { x += 1; x } }", "6"},
      {"fn f(x) { switch x { 1 => return \"one\", 2 => throw \"two\", _ => { } } \"more\" } [f(1), f(3)]", "[\"one\", \"more\"]"},
  };
  check_rows(kRows);
}

TEST_CASE("language: try, catch, throw") {
  constexpr Row kRows[] = {
      {"throw \"x\"", "error: Runtime error: x"},
      {"throw", "error: Runtime error"},
      {"throw #{a: 1}", "error: Runtime error: #{\"a\": 1}"},
      {"try { 1 } catch { 2 }", "()"},
      {"let r = []; try { r.push(1); throw 2; } catch (e) { r.push(e); } r", "[1, 2]"},
      {"let r = 0; try { try { throw 1; } catch (e) { throw e + 1; } } catch (e) { r = e; } r", "2"},
      {"let r = 0; try { try { throw 1; } catch (e) { e = 7; throw; } } catch (e) { r = e; } r", "1"},
      {"try { try { 1 / 0; } catch { throw; } } catch (e) { throw e.message; }", "error: Runtime error: Division by zero: 1 / 0"},
      {"try { 1 / 0; } catch { throw; }", "error: Division by zero: 1 / 0"},
      {"fn f() { try { return 1; } catch { } 2 } f()", "1"},
      {"fn f() { try { throw 1; } catch (e) { return e + 10; } 2 } f()", "11"},
      {"fn g() { throw \"deep\"; } fn f() { g(); 1 } let r = \"\"; try { f(); } catch (e) { r = e; } r", "\"deep\""},
      {"let r = (); try { nowhere(1, \"a\"); } catch (e) { r = [e.error, e.message, e.function, e.line]; } r",
       "[\"ErrorFunctionNotFound\", \"Function not found: nowhere (i64, string)\", \"nowhere\", 1]"},
      {"fn g() { 1 / 0 } fn f() { g() } let r = \"\"; try { f(); } catch (e) { r = e.function; } r", "\"g\""},
      {"fn f() { try { 1 / 0 } catch (e) { return e.function; } } f()", "\"f\""},
      {"fn f() { parse_int(\"x\") } let r = \"\"; try { [][0] } catch (e) { r = e.function; } r", "()"},
      {"let r = 0; for i in 0..3 { try { if i == 1 { continue; } throw i; } catch (e) { r += e * 10 + 1; } } r", "22"},
      {"let f = (); try { throw 5; } catch (e) { f = || e; } f.call()", "5"},
      {"let a = [1]; try { a[5] = 1; } catch { } a", "[1]"},
      {"let r = \"\"; try { 1 in 5; } catch (e) { r = \"cannot look\" in e; } r", "true"},
  };
  check_rows(kRows);
}
