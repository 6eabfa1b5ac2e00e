#include "vsl-filter/lang/std_test.h"

using namespace vsl::test;

TEST_CASE("standard functions: looking at strings") {
  constexpr Evaluation kTable[] = {
      {"[\"né\".len, \"né\".len(), len(\"né\"), \"né\".bytes, \"\".is_empty, \"a\".is_empty(), \"日本語でとても長い文\".len]", "[2, 2, 2, 3, true, false, 10]"},
      {"[\"hello\".contains(\"ell\"), \"hello\".contains('h'), \"ell\" in \"hello\", \"x\" in \"hello\", \"hello\".contains(\"\")]", "[true, true, true, false, true]"},
      {"[\"hello\".starts_with(\"he\"), \"hello\".starts_with('h'), \"hello\".ends_with(\"lo\"), \"hello\".ends_with(\"he\"), \"\".starts_with(\"a\")]",
       "[true, true, true, false, false]"},
      {"[\"Grüße, ÄÖ Ж ẞ\".to_lower(), \"Grüße, äö ж ǆ\".to_upper(), 'é'.to_upper(), 'É'.to_lower(), \"ΑΩ\".to_lower()]",
       "[\"grüße, äö ж ß\", \"GRÜßE, ÄÖ Ж Ǆ\", 'É', 'é', \"αω\"]"},
      {"let s = \"aé\"; s.make_upper(); let t = \"ÄB\"; t.make_lower(); let c = 'x'; c.make_upper(); [s, t, c]", "[\"AÉ\", \"äb\", 'X']"},
      {"[\"hello\".index_of(\"l\"), \"hello\".index_of('o'), \"hello\".index_of(\"x\"), \"héllo\".index_of(\"l\"), \"hello\".index_of(\"l\", 3), \"hello\".index_of(\"h\", 1)]",
       "[2, 4, -1, 2, 3, -1]"},
      {"[\"hello\".index_of(\"l\", -2), \"héhé\".index_of('é', 2), \"abc\".index_of(\"\"), \"abc\".index_of(\"a\", 99), \"abc\".index_of(\"a\", -99)]",
       "[3, 3, 0, -1, 0]"},
      {"[\"aé\".get(1), \"aé\".get(-1), \"aé\".get(-2), \"aé\".get(2), \"aé\".get(-3)]", "['é', 'é', 'a', (), ()]"},
      {"[\"aé\".to_chars(), \"\".to_chars()]", "[['a', 'é'], []]"},
      {"let r = []; for c in \"hello\".chars(1, 3) { r.push(c) } for c in \"ab\".chars() { r.push(c) } for c in \"hello\".chars(3..=4) { r.push(c) } r",
       "['e', 'l', 'l', 'a', 'b', 'l', 'o']"},
      {"[\"aé\".to_blob().len, \"aé\".to_blob().as_string()]", "[3, \"aé\"]"},
      {"[\"hello\".sub_string(1, 3), \"hello\".sub_string(2), \"hello\".sub_string(-3), \"hello\".sub_string(-3, 2), \"hello\".sub_string(9), \"hello\".sub_string(-9)]",
       "[\"ell\", \"llo\", \"llo\", \"ll\", \"\", \"hello\"]"},
      {"[\"hello\".sub_string(1..3), \"hello\".sub_string(1..=3), \"hello\".sub_string(3..99), \"hello\".sub_string(3..1), \"hello\".sub_string(1, 0), \"hello\".sub_string(1, -1)]",
       "[\"el\", \"ell\", \"lo\", \"\", \"\", \"\"]"},
      {"[\"héllö\".sub_string(1, 9223372036854775807), \"héllö\".sub_string(-9223372036854775807), \"héllö\".sub_string(4, 1)]",
       "[\"éllö\", \"héllö\", \"ö\"]"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: split") {
  constexpr Evaluation kTable[] = {
      {R"([" a  b\tc\n".split(), "".split(), "   ".split(), "é ü".split()])", R"([["a", "b", "c"], [], [], ["é", "ü"]])"},
      {R"(["a,b,,c".split(","), "a,b".split(','), "abc".split(","), "".split(","), ",".split(",")])",
       R"([["a", "b", "", "c"], ["a", "b"], ["abc"], [""], ["", ""]])"},
      {R"(["a,b,c".split(",", 2), "a,b,c".split(",", 1), "a,b,c".split(",", 0), "a,b,c".split(',', 99)])",
       R"([["a", "b,c"], ["a,b,c"], ["a,b,c"], ["a", "b", "c"]])"},
      {R"(["abc".split(""), "é".split(""), "".split("")])", R"([["", "a", "b", "c", ""], ["", "é", ""], ["", ""]])"},
      {R"(["hello".split(2), "hello".split(-1), "hello".split(9), "hello".split(-9), "éa".split(1)])",
       R"([["he", "llo"], ["hell", "o"], ["hello", ""], ["", "hello"], ["é", "a"]])"},
      {R"(["a,b,c".split_rev(","), "a,b,c".split_rev(",", 2), "abé".split_rev("")])", R"([["c", "b", "a"], ["c", "a,b"], ["", "é", "b", "a", ""]])"},
      {R"(const S = "a b"; S.split(" "))", R"(["a", "b"])"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: changing strings") {
  constexpr Evaluation kTable[] = {
      {R"(let s = " \t\u00A0x y\u3000\n"; s.trim(); s)", R"("x y")"},
      {R"(let s = "  "; [s.trim(), s])", R"([(), ""])"},
      {R"(const S = " x "; S.trim())", "error: Non-pure method 'trim' cannot be called on constant"},
      {R"(let s = "a-b-c"; s.replace("-", "+"); let t = "aXbX"; t.replace('X', "é"); let u = "aa"; u.replace('a', 'b'); [s, t, u])", R"(["a+b+c", "aébé", "bb"])"},
      {R"(let s = "ab"; s.replace("", "-"); let t = "ab"; t.replace("x", "y"); let u = "aaa"; u.replace("aa", "b"); [s, t, u])", R"(["-a-b-", "ab", "ba"])"},
      {R"(let s = "hello"; s.crop(1, 3); let t = "hello"; t.crop(-2); let u = "hello"; u.crop(1..=2); [s, t, u])", R"(["ell", "lo", "el"])"},
      {R"(let s = "hello"; s.remove("l"); let t = "hello"; t.remove('h'); let u = "x"; u.remove(""); [s, t, u])", R"(["heo", "ello", "x"])"},
      {R"(let s = "héllo"; s.set(1, 'e'); s.set(-1, 'ö'); s.set(9, 'x'); s.set(-9, 'x'); s)", R"("hellö")"},
      {R"(let s = "héllo"; s.truncate(2); let t = "ab"; t.truncate(9); let u = "ab"; u.truncate(-1); [s, t, u])", R"(["hé", "ab", ""])"},
      {R"(let s = "x"; s.clear(); s)", R"("")"},
      {R"(let s = "abé"; let c = s.pop(); let t = "hello"; let u = t.pop(2); let e = ""; [c, s, u, t, e.pop(), e.pop(3)])", R"(['é', "ab", "lo", "hel", (), ""])"},
      {R"(let s = "ab"; s.pad(5, '-'); let t = "ab"; t.pad(5, "éx"); let u = "ab"; u.pad(1, '-'); let v = "a"; v.pad(9, ""); [s, t, u, v])",
       R"(["ab---", "abéxé", "ab", "a"])"},
      {R"(let s = "a"; s.append("b"); s.append('c'); s.append(1); s += "d"; s.append(()); s)", R"("abc1d")"},
      {R"(let s = "é"; s.pad(9223372036854775807, '-'))", "error: String too large"},
      {R"(let s = ""; s.pad(16777216, '-'); s.len)", "16777216"},
      {R"(let s = ""; s.pad(16777217, '-'); s.len)", "error: String too large"},
      {R"(let s = ""; s.pad(1000000, 'a'); s.replace("a", "12345678901234567890"))", "error: String too large"},
  };
  check_all(kTable);
}

TEST_CASE("standard functions: regular expressions") {
  constexpr Evaluation kTable[] = {
      {R"x(let r = regex("^a(b+)"); ["abbc".matches(r), r.matches("xab"), "ab" in r, "xab" == r, "ab" == r, r.pattern, `${r}`])x",
       R"x([true, false, true, false, true, "^a(b+)", "^a(b+)"])x"},
      {R"(["x@example.org".matches("@example\\.org$"), "É".matches(regex("é", "i")), "a\nb".matches(regex("^b", "m"))])", "[true, true, true]"},
      {R"(["k=v".captures("(\\w)=(\\w)(z)?"), "x".captures("y")])", R"([["k=v", "k", "v", ()], ()])"},
      {R"x("k=v".named_captures("(?P<key>\\w)=(?P<value>\\w)"))x", R"(#{"key": "k", "value": "v"})"},
      {R"(["a1b22".find_all("[0-9]+"), "éb".find_all(""), "abc".find_all("x")])", R"([["1", "22"], ["", "", ""], []])"},
      {R"("a, b;c".split_regex("[,;] *"))", R"(["a", "b", "c"])"},
      {R"x(let s = "John Smith"; s.replace_regex("(?P<first>\\w+) (\\w+)", "$2, ${first} $$1"); s)x", R"("Smith, John $1")"},
      {R"(let s = "abc"; s.replace_regex("x", "$9"); s.replace_regex("", "-"); s)", R"("-a-b-c-")"},
      {R"(let s = "a"; s.replace_regex("a", "${b}"))", "error: the regex 'a' has no group 'b'"},
      {R"(regex("a(b"))", "error: 'a(b' is not a valid regex: missing ): a(b"},
      {R"("x".matches("("))", "error: '(' is not a valid regex: missing ): ("},
      {R"([regex_escape("a.b"), "a.b".matches(regex_escape("a.b")), "axb".matches(regex_escape("a.b"))])", R"(["a\\.b", true, false])"},
      {R"(let s = ""; s.pad(100000, 'a'); s.matches("(a*)*b"))", "false"},
      {R"(1 in regex("1"))", "error: cannot look for a 'i64' object in a 'regex' object"},
      {R"(let r = ""; try { regex("(") } catch (e) { r = "not a valid regex" in e } r)", "true"},
  };
  check_all(kTable);
}
