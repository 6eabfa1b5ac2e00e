// What Sinks::assigned hears of.
#include <doctest/doctest.h>

#include "vsl-filter/lang/compiler.h"
#include "vsl-filter/lang/test_script.h"

using namespace vsl;

namespace {

// "LINE:COLUMN PLACE = VALUE; ..." of all assignments of a script.
std::string told(std::string text, bool tells = true) {
  test::Files files;
  std::string out;
  std::vector<std::pair<Span, std::string>> all;
  LoadOptions options = test::unchecked();
  options.tells_assignments = tells;
  options.sinks.assigned = [&](std::string_view place, const Value& value, Span where) {
    all.emplace_back(where, std::string(place) + " = " + shortened_debug_of(value, 20));
  };
  const Loaded loaded = load(LoadedText{"test.vsl", std::move(text)}, files, test::standard_natives(), test::kDialect, options);
  for (const auto& [span, line] : all) {
    const Location at = loaded.sources().locate(span);
    out += std::to_string(at.line) + ":" + std::to_string(at.column) + " " + line + "; ";
  }
  if (loaded.failure) out += loaded.failure->message();
  return out;
}

}  // namespace

TEST_CASE("each assignment is told of, in order, with its place and the new value") {
  struct Case {
    std::string_view script, expected;
  };
  constexpr Case kCases[] = {
      {"let a = 1; a += 2; a *= 5;", "1:1 a = 1; 1:12 a = 3; 1:20 a = 15; "},
      {"let a;\n  a = \"x\";", "1:1 a = (); 2:3 a = \"x\"; "},
      {"const K = 1 + 1;", "1:1 K = 2; "},
      {"let m = #{}; let i = 1; m.list = [1, 2]; m.list[i] = 'x'; m.list[i - 1] -= 3;",
       "1:1 m = #{}; 1:14 i = 1; 1:25 m.list = [1, 2]; 1:42 m.list[1] = 'x'; 1:59 m.list[0] = -2; "},
      {"let m = #{}; m[\"a key\"] = 1; m?.b = 2; let u; u?.b = 3; m.a?.b += 4;",
       "1:1 m = #{}; 1:14 m[\"a key\"] = 1; 1:30 m?.b = 2; 1:40 u = (); "},
      {"for (x, i) in \"ab\" { }", "1:1 x = 'a'; 1:1 i = 0; 1:1 x = 'b'; 1:1 i = 1; "},
      {"for x in 3..5 { continue; }", "1:1 x = 3; 1:1 x = 4; "},
      {"try { throw 1 } catch (e) { e = 2; }", "1:1 e = 1; 1:29 e = 2; "},
      {"let n = 0; let f = || { n += 1; }; f.call(); n = 7;", "1:1 n = 0; 1:12 f = Fn(closure); 1:25 n = 1; 1:46 n = 7; "},
      {"fn f() { this += 1; this = [this]; } let a = 1; a.f();", "1:38 a = 1; 1:10 this = 2; 1:21 this = [2]; "},
      {"let a = 1; a = \"a text longer than what is shown\";", "1:1 a = 1; 1:12 a = \"a text longer than ...; "},
      {"let a = [1]; a[1] = 2;", "1:1 a = [1]; Array index 1 out of bounds: only 1 element in array"},
  };
  for (const auto& [script, expected] : kCases) {
    CAPTURE(script);
    CHECK(told(std::string(script)) == expected);
    CHECK(told(std::string(script), false).find(" = ") == std::string::npos);
  }
}

TEST_CASE("a program that is not loaded for telling has no instructions for it") {
  test::Files files;
  const auto has_tell = [&](bool tells) {
    LoadOptions options = test::unchecked();
    options.tells_assignments = tells;
    const Loaded loaded = load(LoadedText{"test.vsl", "let a = 1; for i in 0..2 { a += i; }"}, files, test::standard_natives(), test::kDialect, options);
    return disassemble(*loaded.program->main().top_level).find("Tell") != std::string::npos;
  };
  CHECK(has_tell(true));
  CHECK_FALSE(has_tell(false));
}

TEST_CASE("a shortened value takes what is shown of it") {
  CHECK(shortened_debug_of(Value::short_string("abc"), 10) == "\"abc\"");
  CHECK(shortened_debug_of(Value(12345), 3) == "123...");
  Heap heap;
  CHECK(shortened_debug_of(heap.string(std::string(1000, 'x')), 10) == "\"xxxxxxxxx...");
  CHECK(shortened_debug_of(heap.string("äöüäöü"), 4) == "\"\xC3\xA4...");  // not in the middle of a character
  Value array = heap.array();
  for (int i = 0; i < 100'000; ++i) array.array_for_write(heap).push(i);
  CHECK(shortened_debug_of(array, 12) == "[0, 1, 2, 3,...");
}
