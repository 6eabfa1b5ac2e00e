// The examples L1 to L30 of the specification, section 6.1.
#include <doctest/doctest.h>

#include "vsl-filter/lang/test_script.h"

using vsl::test::evaluated;

TEST_CASE("language: examples of the specification") {
  struct Example {
    std::string_view number;
    std::string_view script;
    std::string_view expected;  // the value in debug form, or "error: TEXT"
  };
  constexpr Example kExamples[] = {
      {"L1", "let x = { let y = 1; y + 1; }; x", "2"},
      {"L2", "fn f() { 42; } f()", "42"},
      {"L3", "type_of(if false { 1 })", "\"()\""},
      {"L4", "-2 ** 2 == 4 && 2 ** 3 ** 2 == 512 && 1 + 2 << 1 == 5", "true"},
      {"L5", "9223372036854775807 + 1", "error: Addition overflow: 9223372036854775807 + 1"},
      {"L6", "[7/2, -7/2, -7%3, 7%-3]", "[3, -3, -1, 1]"},
      {"L7", "let a = [1,2]; let b = a; b[0] = 9; a", "[1, 2]"},
      {"L8", "let n = 1; let f = || n += 1; f.call(); f.call(); n", "3"},
      {"L9", "fn add(v) { v.push(1); v } let l = []; add(l); l", "[]"},
      {"L10", "fn add(v) { this.push(v); } let l = []; l.add(3); l", "[3]"},
      {"L11", "switch 25 { 0..10 => \"low\", 10..=30 if false => \"never\", 20..30 => \"mid\", _ => \"high\" }", "\"mid\""},
      {"L12", "let s = []; for (c, i) in \"né\" { s.push(`${c}${i}`); } s", "[\"n0\", \"é1\"]"},
      {"L13", "let r = \"\"; try { 1 / 0; } catch (e) { r = e.error; } r", "\"ErrorArithmetic\""},
      {"L14", "let r = \"\"; try { throw \"stop\"; } catch (e) { r = type_of(e); } r", "\"string\""},
      {"L15", "let u = \"x\"; `a${u + 1}\\n`", "\"ax1\\\\n\""},
      {"L17", "1 == 1.0 && \"1\" != 1 && 'a' == \"a\" && !(1 < \"a\") && () != false", "true"},
      {"L18", "const LIMIT = 5; fn f() { global::LIMIT } f()", "5"},
      {"L19", "let LIMIT = 5; fn f() { LIMIT } f()", "error: Variable not found: LIMIT"},
      {"L21", "let m = #{}; m.x = 1; m?.y?.z", "()"},
      {"L22", "let v = loop { break 7; }; v", "7"},
      {"L23", "3 is 3 && 3 not 4 && !(3 in [1, 2]) && 3 !in [1, 2]", "true"},
      {"L24", "let f = || for i in 0..3 { if i == 2 { return i; } }; f.call()", "2"},
      {"L25", "let t = \"  x \"; t.trim(); t + \"|\"", "\"x|\""},
      {"L26", "[\"b\", \"a\"].map(\"to_upper\")", "[\"B\", \"A\"]"},
      {"L27", "fn g(bcc) { bcc + \"!\" } fn bcc(x) { x } g(\"a\")", "\"a!\""},
      {"L29", "let s = \"hello\"; [s[-1], s.sub_string(1, 3), s.index_of(\"l\"), s.len, \"é\".bytes]", "['o', \"ell\", 2, 5, 2]"},
      {"L30", "let a = [1]; a[1]", "error: Array index 1 out of bounds: only 1 element in array"},
  };
  for (const auto& [number, script, expected] : kExamples) {
    CAPTURE(number);
    CHECK(evaluated(std::string(script)) == expected);
  }
}

TEST_CASE("language: examples that are refused before anything runs") {
  for (const char* script : {"if 1 { 2 }", "#{a: 1, a: 2}", "eval(\"1\")"}) {
    CAPTURE(script);
    CHECK(evaluated(script, vsl::LoadOptions()).starts_with("error: "));
  }
}
