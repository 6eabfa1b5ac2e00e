#include "vsl-filter/lang/std_test.h"

using namespace vsl::test;

TEST_CASE("standard functions: arrays") {
  constexpr Evaluation kTable[] = {
      {"let a = [1]; a.push(2); a.append([3, 4]); a += 5; [a, a.len, a.is_empty, [].is_empty, len(a)]", "[[1, 2, 3, 4, 5], 5, false, true, 5]"},
      {"let a = [1, 2]; a.append(a); a", "[1, 2, 1, 2]"},
      {"[[1, \"a\"].contains(1.0), 'a' in [1, \"a\"], 2 in [1], [1] in [[1]]]", "[true, true, false, true]"},
      {"let a = [1, 2]; a.insert(0, 'x'); a.insert(-1, 'y'); a.insert(99, 'z'); a.insert(-99, 'w'); a", "['w', 'x', 1, 'y', 2, 'z']"},
      {"let a = [1, 2, 3]; [a.pop(), a.shift(), a, [].pop(), [].shift()]", "[3, 1, [2], (), ()]"},
      {"let a = [1, 2, 3]; [a.remove(1), a.remove(-1), a.remove(5), a]", "[2, 3, (), [1]]"},
      {"let a = [1, 2]; a.set(0, 9); a.set(-1, 8); a.set(5, 7); [a, a.get(0), a.get(-1), a.get(2), a.get(-3)]", "[[9, 8], 9, 8, (), ()]"},
      {"let a = [1, 2, 3]; let b = [1, 2, 3]; let c = [1]; a.truncate(2); b.chop(2); c.truncate(-1); [a, b, c]", "[[1, 2], [2, 3], []]"},
      {"let a = [1, 2, 3]; a.reverse(); let b = [1]; b.clear(); [a, b]", "[[3, 2, 1], []]"},
      {"let a = [1, 2, 3, 4]; [a.extract(1), a.extract(1, 2), a.extract(-2), a.extract(1..3), a.extract(1..=3), a.extract(9), a]",
       "[[2, 3, 4], [2, 3], [3, 4], [2, 3], [2, 3, 4], [], [1, 2, 3, 4]]"},
      {"let a = [1, 2, 3, 4]; a.splice(1, 2, ['x']); let b = [1, 2]; b.splice(1..1, [7, 8]); let c = [1]; c.splice(0, 1, c); [a, b, c]",
       "[[1, 'x', 4], [1, 7, 8, 2], [1]]"},
      {"let a = [1, 2, 3]; let b = a.split(1); let c = [1, 2, 3]; let d = c.split(-1); let e = [1]; let f = e.split(9); [a, b, c, d, e, f]",
       "[[1], [2, 3], [1, 2], [3], [1], []]"},
      {"let a = [1]; a.pad(3, 'x'); a.pad(2, 'y'); a", "[1, 'x', 'x']"},
      {"let a = [1]; a.pad(1000001, 0)", "error: Array too large"},
      {"let a = [1]; a.pad(1000000, 0); a.push(1)", "error: Array too large"},
      {"let a = [1, 2, 3, 4]; [a.drain(1..3), a]", "[[2, 3], [1, 4]]"},
      {"let a = [1, 2, 3, 4]; [a.drain(0, 2), a.retain(0..1), a]", "[[1, 2], [4], [3]]"},
      {"[[1, \"a\", 'b', ()].join(\",\"), [1, 2].join(), [].join(\"x\"), [1, 2].join('-')]", "[\"1,a,b,\", \"12\", \"\", \"1-2\"]"},
      {"let a = [1, 1, 2, 2, 1]; a.dedup(); let b = [1, 3, 2]; b.dedup(|x, y| x % 2 == y % 2); [a, b]", "[[1, 2, 1], [1, 2]]"},
      {"[[1, 2, 1].index_of(1), [1, 2, 1].index_of(1, 1), [1].index_of(5), [\"a\"].index_of(\"a\")]", "[0, 2, -1, 0]"},
      {"const A = [1]; A.push(2)", "error: Non-pure method 'push' cannot be called on constant"},
      {"let a = [1]; let b = a; b.push(2); [a, b]", "[[1], [1, 2]]"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: arrays and callbacks") {
  constexpr Evaluation kTable[] = {
      {"[[1, 2].map(|x| x * 2), [1, 2].map(|x, i| x * 10 + i), [1, 2].map(|| this + 1), [\"a\"].map(\"to_upper\"), [].map(|x| x)]",
       "[[2, 4], [10, 21], [2, 3], [\"A\"], []]"},
      {"fn twice(x) { x * 2 } [[1, 2].map(\"twice\"), [1, 2].map(Fn(\"twice\"))]", "[[2, 4], [2, 4]]"},
      {"[[1, 2, 3].filter(|x| x > 1), [5, 6].filter(|x, i| i == 0), [1, 2].filter(|| this == 2)]", "[[2, 3], [5], [2]]"},
      {"[1].filter(|x| x)", "error: Expecting a boolean expression, not a i64"},
      {"let a = [1, 2]; a.for_each(|| this *= 10); a", "[10, 20]"},
      {"let s = 0; [1, 2].for_each(|x, i| s += x * 10 + i); s", "31"},
      {"[[1, 2].some(|x| x > 1), [].some(|x| true), [1, 2].all(|x| x > 1), [].all(|x| false)]", "[true, false, false, true]"},
      {"[[1, 2, 3].find(|x| x > 1), [1].find(|x| x > 1), [1, 2, 3].find(|x| x > 0, 1)]", "[2, (), 2]"},
      {"[[1, 2, 3].find_map(|x| if x > 1 { x * 10 }), [1].find_map(|x| ())]", "[20, ()]"},
      {"[[1, 2, 3].index_of(|x| x > 1), [1].index_of(|x| x > 1), [1, 2, 3].index_of(|x| x > 0, -1)]", "[1, -1, 2]"},
      {"[[1, 2, 3].reduce(|s, x| if s == () { x } else { s + x }), [1, 2].reduce(|s, x| s + x, 10), [1, 2].reduce(|s, x, i| s + x * i, 0)]", "[6, 13, 2]"},
      {"[[1, 2].reduce_rev(|s, x| `${s}${x}`, \"\"), [].reduce(|s, x| s, 7)]", "[\"21\", 7]"},
      {"[[1, 2, 3].zip([10, 20], |a, b| a + b), [1].zip([2], |a, b, i| a + b + i)]", "[[11, 22], [3]]"},
      {"let a = [1, 2, 3]; let d = a.drain(|x| x % 2 == 1); let b = [1, 2, 3]; let r = b.retain(|x| x % 2 == 1); [a, d, b, r]",
       "[[2], [1, 3], [1, 3], [2]]"},
      {"let a = [1, 2]; let n = 0; a.map(|x| { n += x; a.push(x); x }); [n, a]", "[3, [1, 2, 1, 2]]"},
      {"[1].map(|x| throw \"no\")", "error: Runtime error: no"},
      {"let r = []; try { [1, 2].map(|x| 1 / (x - 2)) } catch (e) { r = e.error } r", "\"ErrorArithmetic\""},
      {"[1].map(\"unknown_function\")", "error: Function not found: unknown_function (i64)"},
      {"[1].map(|a, b, c| a)", "error: Function not found: closure (i64)"},
      {"fn deep(n) { [n].map(|x| deep(x + 1)) } deep(0)", "error: Stack overflow"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: sort") {
  constexpr Evaluation kTable[] = {
      {"let a = [3, 1, 2]; a.sort(); let b = [\"b\", \"a\", \"é\"]; b.sort(); let c = [2, 1.5]; c.sort(); let d = [true, false]; d.sort(); [a, b, c, d]",
       "[[1, 2, 3], [\"a\", \"b\", \"é\"], [1.5, 2], [false, true]]"},
      {"let a = [3, 1, 2]; a.sort_desc(); let b = [1, 2, 3]; b.sort(|x, y| y - x); let c = [\"bb\", \"a\"]; c.sort_by(|x, y| x.len - y.len); [a, b, c]",
       "[[3, 2, 1], [3, 2, 1], [\"a\", \"bb\"]]"},
      {"let a = [[2, 'a'], [1, 'b'], [2, 'c'], [1, 'd']]; a.sort(|x, y| x[0] - y[0]); a", "[[1, 'b'], [1, 'd'], [2, 'a'], [2, 'c']]"},
      {"let a = []; a.sort(); let b = [5]; b.sort(); [a, b]", "[[], [5]]"},
      {"let a = [1, \"a\"]; a.sort()", "error: cannot sort an array of 'i64' and 'string' without a function that compares"},
      {"let a = [[1], [2]]; a.sort()", "error: cannot sort an array of 'array' and 'array' without a function that compares"},
      {"let a = [1, 2]; a.sort(|x, y| true)", "error: a function that compares must return a number, not a bool"},
      {"let a = [5, 3, 4, 1, 2]; a.sort(|x, y| 1); a.len", "5"},
      {"let n = 0; let a = []; for i in 0..100 { a.push(i * 37 % 100) } a.sort(|x, y| { n += 1; if n % 3 == 0 { 1 } else { -1 } }); a.sort(); a == [] || a[99] == 99 && a[0] == 0 && a.len == 100",
       "true"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: maps") {
  constexpr Evaluation kTable[] = {
      {"let m = #{b: 1, a: 2}; [m.keys(), m.values(), m.len(), m.is_empty(), #{}.is_empty(), m.contains(\"a\"), \"c\" in m, m.get(\"a\"), m.get(\"c\")]",
       "[[\"a\", \"b\"], [2, 1], 2, false, true, true, false, 2, ()]"},
      {"let m = #{a: 1}; m.set(\"b\", 2); [m.remove(\"a\"), m.remove(\"x\"), m]", "[1, (), #{\"b\": 2}]"},
      {"let m = #{a: 1}; m.clear(); m", "#{}"},
      {"let m = #{a: 1, b: #{}}; [m.len, m.is_empty, m.b.len, m.b.is_empty, #{len: 7}.len, m.keys, m?.len]", "[2, false, 0, true, 7, (), 2]"},
      {"let m = #{a: 1, b: 2}; m.mixin(#{b: 3, c: 4}); let n = #{a: 1}; n.fill_with(#{a: 9, b: 2}); m += #{d: 5}; [m, n, #{a: 1} + #{b: 2}]",
       R"([#{"a": 1, "b": 3, "c": 4, "d": 5}, #{"a": 1, "b": 2}, #{"a": 1, "b": 2}])"},
      {"let m = #{a: 1, b: 2}; [m.filter(|k, v| v > 1), m.filter(|k| k == \"a\"), m.filter(|k| this == 2), m.map(|k, v| k + v), m]",
       R"([#{"b": 2}, #{"a": 1}, #{"b": 2}, #{"a": "a1", "b": "b2"}, #{"a": 1, "b": 2}])"},
      {"let m = #{a: 1, b: 2}; let d = m.drain(|k, v| v == 1); let n = #{a: 1, b: 2}; let r = n.retain(|k, v| v == 1); [m, d, n, r]",
       R"([#{"b": 2}, #{"a": 1}, #{"a": 1}, #{"b": 2}])"},
      {R"(#{b: [1, 2.5, "x\"\n", (), true, 'c'], a: #{}}.to_json())", R"("{\"a\":{},\"b\":[1,2.5,\"x\\\"\\n\",null,true,\"c\"]}")"},
  };
  check_all(kTable);
}

// Values that share their parts are small, what one does with them need not be.
TEST_CASE("standard functions: work that grows without memory is counted") {
  constexpr Evaluation kTable[] = {
      {"let a = [1]; for i in 0..40 { a = [a, a]; } to_string(a)", "error: String too large"},
      {"let a = [1]; for i in 0..40 { a = [a, a]; } `${a}`.len", "error: String too large"},
      {"let a = [1]; for i in 0..40 { a = [a, a]; } json::stringify(a)", "error: JSON text too large"},
      {"let a = [1]; let b = [1]; for i in 0..40 { a = [a, a]; b = [b, b]; } a == b", "error: Too many operations"},
      {"let a = #{x: 1}; let b = #{x: 1}; for i in 0..40 { a = #{x: a, y: a}; b = #{x: b, y: b}; } a == b", "error: Too many operations"},
      {"let a = []; a.pad(900000, 0); let n = 0; loop { let b = a; b.push(1); b.pop(); n += 1; }", "error: Too many operations"},
      {"let s = \"\"; s.pad(16000000, 'é'); loop { s.get(-1); }", "error: String too large"},
      {"let s = \"\"; s.pad(8000000, 'é'); loop { s.get(-1); }", "error: Too many operations"},
      {"let s = \"[\"; s.pad(12600001, \"[[],[],[],[]],\"); s += \"0]\"; json::parse(s)", "error: Memory too large"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: blobs") {
  constexpr Evaluation kTable[] = {
      {"let b = blob(2, 7); b.push(258); b.append(\"é\"); b.append(b); [b.len, b.to_array()]", "[10, [7, 7, 2, 195, 169, 7, 7, 2, 195, 169]]"},
      {"let b = blob(); b.append(1); b.insert(0, 9); b.insert(-1, 8); [b.to_array(), b.get(0), b.get(5), b.pop(), b.shift(), b.remove(0), b.is_empty, b.pop()]",
       "[[9, 8, 1], 9, (), 1, 9, 8, true, ()]"},
      {"let b = \"hello\".to_blob(); b.set(0, 72); b.reverse(); [b.as_string(), b.contains(72), 72 in b, b.extract(1, 2).as_string(), b.extract(-2).as_string()]",
       "[\"olleH\", true, true, \"ll\", \"eH\"]"},
      {"let b = \"hello\".to_blob(); let t = b.split(3); let c = b.drain(0..1); b.splice(1, 0, \"XY\".to_blob()); [t.as_string(), c.as_string(), b.as_string()]",
       "[\"lo\", \"h\", \"eXYl\"]"},
      {"let b = blob(3, 1); b.truncate(1); b.pad(3, 5); b.chop(2); [b.to_array(), b.retain(0, 1).to_array(), b.to_array()]", "[[5, 5], [5], [5]]"},
      {"let b = blob(8); b.write_le(0, 2, 0x1234); b.write_be(2..4, 0x1234); [b.parse_le_int(0, 2), b.parse_be_int(2..4), b.parse_le_int(2, 2), b.to_array().extract(0, 4)]",
       "[4660, 4660, 13330, [52, 18, 18, 52]]"},
      {"let b = blob(8); b.write_le(0, 8, 1.5); [b.parse_le_float(0, 8), b.parse_le_int(0, 8) == 0x3FF8000000000000, b.parse_le_int(9, 1)]", "[1.5, true, 0]"},
      {"let b = blob(4); b.write_utf8(1, 2, \"abc\"); b.write_ascii(3..4, \"éz\"); b.to_array()", "[0, 97, 98, 122]"},
      {"let b = blob(2, 255); b.as_string()", "\"��\""},
      {"blob(16777217)", "error: Blob too large"},
      {"blob(-1).len", "0"},
  };
  check_all(kTable);
}
