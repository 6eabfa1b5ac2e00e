#include "vsl-filter/lang/std_test.h"

using namespace vsl::test;

TEST_CASE("standard functions: core") {
  constexpr Evaluation kTable[] = {
      {"[type_of(1), type_of(1.0), type_of('a'), type_of(\"\"), type_of([]), type_of(#{}), type_of(()), type_of(true)]",
       "[\"i64\", \"f64\", \"char\", \"string\", \"array\", \"map\", \"()\", \"bool\"]"},
      {"[type_of(1..2), type_of(1..=2), type_of(blob()), type_of(timestamp()), type_of(|| 1), type_of(regex(\"a\"))]",
       "[\"range\", \"range=\", \"blob\", \"timestamp\", \"Fn\", \"regex\"]"},
      {"[to_string([\"a\", 'b', 1.0, ()]), to_string(()), to_string(\"x\")]", R"(["[\"a\", 'b', 1.0, ()]", "", "x"])"},
      {"[\"a\\\"b\".to_debug(), ().to_debug(), 'c'.to_debug()]", R"x(["\"a\\\"b\"", "()", "'c'"])x"},
      {"exit(7); 8", "7"},
      {"exit(); 8", "()"},
      {"try { exit(3) } catch { 4 } 5", "3"},
      {"let t = timestamp(); t.elapsed >= 0.0 && t.elapsed < 60.0 && timestamp() >= t", "true"},
      {"let x = [1]; let y = take(x); [x, y]", "[(), [1]]"},
      {"sleep(1)", "error: 'sleep' is disabled: it would hold up everybody else's mail"},
      {"fn f(a, b, c) { a * 100 + b * 10 + c } [Fn(\"f\").curry(1).call(2, 3), Fn(\"f\").curry(1).curry(2).call(3), Fn(\"f\").curry(1, 2, 3).call()]",
       "[123, 123, 123]"},
      {"let n = 10; let f = |a, b| a + b + n; [f.curry(1).call(2), Fn(\"x\").name, f.is_anonymous, Fn(\"x\").is_anonymous]", "[13, \"x\", true, false]"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: numbers") {
  constexpr Evaluation kTable[] = {
      {"[abs(-3), (-3.5).abs(), abs(0), -5.abs()]", "[3, 3.5, 0, 5]"},
      {"abs(-9223372036854775807 - 1)", "error: Negation overflow: --9223372036854775808"},
      {"[sign(-3), sign(0), sign(2.5)]", "[-1, 0, 1]"},
      {"[min(1, 2), max(1, 2), min(1, 0.5), max(2.0, 3), min(\"b\", \"a\"), max(\"b\", \"a\")]", "[1, 2, 0.5, 3, \"a\", \"b\"]"},
      {"[0.is_zero, 0.0.is_zero, 1.is_zero(), 3.is_odd, (-3).is_odd(), 4.is_odd, 4.is_even, 3.is_even]",
       "[true, true, false, true, true, false, true, false]"},
      {"[to_int(2.9), to_int(-2.9), 'é'.to_int(), to_int(5), to_float(3)]", "[2, -2, 233, 5, 3.0]"},
      {"to_int(1e19)", "error: Integer overflow: to_int(1e19)"},
      {"to_int(0.0 / 0.0)", "error: Integer overflow: to_int(NaN)"},
      {"[parse_int(\"42\"), parse_int(\" -7\\n\"), parse_int(\"+5\"), parse_int(\"ff\", 16), parse_int(\"-FF\", 16), parse_int(\"z\", 36)]",
       "[42, -7, 5, 255, -255, 35]"},
      {"[parse_int(\"9223372036854775807\"), parse_int(\"-9223372036854775808\")]", "[9223372036854775807, -9223372036854775808]"},
      {"parse_int(\"9223372036854775808\")", "error: Error parsing integer number '9223372036854775808': it does not fit in 64 bits"},
      {"parse_int(\"\")", "error: Error parsing integer number '': there are no digits"},
      {"parse_int(\"1_000\")", "error: Error parsing integer number '1_000': not made of digits of base 10 only"},
      {"parse_int(\"12a\")", "error: Error parsing integer number '12a': not made of digits of base 10 only"},
      {"parse_int(\"+-1\")", "error: Error parsing integer number '+-1': not made of digits of base 10 only"},
      {"parse_int(\"1\", 37)", "error: Invalid radix: '37', not between 2 and 36"},
      {"parse_int(\"1\", 1)", "error: Invalid radix: '1', not between 2 and 36"},
      {"let r = \"\"; try { parse_int(\"x\") } catch (e) { r = e.error } r", "\"ErrorArithmetic\""},
      {"[parse_float(\"1.5\"), parse_float(\" 2 \"), parse_float(\"-1e3\")]", "[1.5, 2.0, -1000.0]"},
      {"parse_float(\"1.5x\")", "error: Error parsing floating-point number '1.5x': not written as a number"},
      {"[to_hex(255), to_octal(8), to_binary(5), to_hex(-1), 0.to_hex()]", "[\"ff\", \"10\", \"101\", \"ffffffffffffffff\", \"0\"]"},
      {"[2.7.floor, 2.2.ceiling, 2.5.round, (-2.5).round, 2.7.int, -2.7.int, 2.5.fraction, 3.floor()]",
       "[2.0, 3.0, 3.0, -3.0, 2.0, -2.0, 0.5, 3]"},
      {"[(0.0/0.0).is_nan, (1.0/0.0).is_infinite, (1.0/0.0).is_finite, 1.0.is_finite]", "[true, true, false, true]"},
      {"[sqrt(16), 100.0.log(), 8.0.log(2.0), exp(0), E().ln(), PI().cos(), 0.sin(), atan(1.0, 1.0) * 4.0 == PI(), hypot(3, 4)]",
       "[4.0, 2.0, 3.0, 1.0, 1.0, -1.0, 0.0, true, 5.0]"},
      {"[180.to_radians() == PI(), PI().to_degrees()]", "[true, 180.0]"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: bits") {
  constexpr Evaluation kTable[] = {
      {"[5.get_bit(0), 5.get_bit(1), (-1).get_bit(-1)]", "[true, false, true]"},
      {"5.get_bit(64)", "error: Bit-field index 64 out of bounds: only 64 bits in bit-field"},
      {"5.get_bit(-65)", "error: Bit-field index -65 out of bounds: only 64 bits in bit-field"},
      {"let n = 0; n.set_bit(3, true); n.set_bit(0, true); n.set_bit(0, false); n", "8"},
      {"[0xABCD.get_bits(4, 8), 0xABCD.get_bits(4..12), 0xABCD.get_bits(4..=11), (-1).get_bits(0, 64), 7.get_bits(0, 0)]", "[188, 188, 188, -1, 0]"},
      {"let n = 0xABCD; n.set_bits(4, 8, 0xFF); n.to_hex()", "\"affd\""},
      {"let n = 0; n.set_bits(0..4, 0x1F); n", "15"},
      {"let n = 5; n.set_bits(0, 64, -1); n", "-1"},
      {"let n = 0xABCD; n[4..12] = 0xFF; n.to_hex()", "\"affd\""},
      {"let n = 0xABCD; n[4..=11] = 0x100; n.to_hex()", "\"a00d\""},
      {"let n = 0; n[-4..64] = 15; n == -1152921504606846976", "true"},
      {"let n = 5; n[0..64] = -1; n[0..=63] = n - 1; n", "-2"},
      {"let n = 5; n[3..3] = 7; n[70..80] = 7; n", "5"},
      {"let n = 0x10; n[4..8] += 2; n[0..4] |= 1; n", "49"},
      {"let m = #{a: [0]}; m.a[0][1..3] = 3; m", "#{\"a\": [6]}"},
      {"fn f() { this[0..2] = 3; } let n = 4; n.f(); n", "7"},
      {"let n = 0; n[0..4] = true;", "error: Indexer not registered for 'i64 [range]'"},
      {"let n = 0; n[1] = 1;", "error: Indexer not registered for 'i64 [i64]'"},
      {"[bits(5, 0, 3), bits(5, 0..=1), bits(5).len, bits(5, 60).len]", "[[true, false, true], [true, false], 64, 4]"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: ranges") {
  constexpr Evaluation kTable[] = {
      {"[(1..5).start, (1..5).end, (1..5).is_inclusive, (1..=5).is_inclusive, (1..5).is_exclusive, (5..1).is_empty, (1..=1).is_empty()]",
       "[1, 5, false, true, true, true, false]"},
      {"[(1..5).contains(5), (1..=5).contains(5), 0 in 1..5, 1 in 1..5]", "[false, true, false, true]"},
      {"let s = []; for i in range(1, 4) { s.push(i) } s", "[1, 2, 3]"},
      {"let s = []; for i in range(1, 10, 4) { s.push(i) } s", "[1, 5, 9]"},
      {"let s = []; for i in range(10, 0, -4) { s.push(i) } s", "[10, 6, 2]"},
      {"let s = []; for i in range(10, 0, 4) { s.push(i) } s", "[]"},
      {"let s = []; for i in range(9223372036854775800, 9223372036854775807, 5) { s.push(i) } s", "[9223372036854775800, 9223372036854775805]"},
      {"let s = []; for x in range(0.0, 1.0, 0.25) { s.push(x) } s", "[0.0, 0.25, 0.5, 0.75]"},
      {"let s = []; for x in range(1.5, 0, -1) { s.push(x) } s", "[1.5, 0.5]"},
      {"range(1, 2, 0)", "error: the step of a range must not be 0"},
      {"range(1.0, 2, 0)", "error: the bounds of a range must be finite and its step must not be 0"},
  };
  check_all(kTable);
}
