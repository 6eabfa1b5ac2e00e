#include "vsl-filter/lang/lexer.h"

#include <doctest/doctest.h>

#include "vsl-filter/lang/test_dialect.h"

namespace {

using vsl::test::dumped;
using vsl::test::errors;

struct Case {
  std::string script;
  std::string expected;
};

void check_trees(std::span<const Case> cases) {
  for (const Case& each : cases) {
    CAPTURE(each.script);
    CHECK(dumped(each.script) == each.expected);
  }
}
void check_errors(std::span<const Case> cases) {
  for (const Case& each : cases) {
    CAPTURE(each.script);
    CHECK(errors(each.script) == each.expected);
  }
}

}  // namespace

TEST_CASE("vsl lexer: blanks, comments and the first line") {
  const Case cases[] = {
      {"", ""},
      {" \t\r\n\f1", "1"},
      {"\xEF\xBB\xBF"
       "1",
       "1"},
      {"#!/usr/bin/vsl-filter\n1", "1"},
      {"#!/usr/bin/vsl-filter", ""},
      {"1 // 2", "1"},
      {"1 /* 2 */", "1"},
      {"/* a /* b */ c */ 1", "1"},
      {"/**/1/***/", "1"},
      {"1 / 2", "(/ 1 2)"},
      {"//", ""},
  };
  check_trees(cases);
}

TEST_CASE("vsl lexer: numbers") {
  const Case cases[] = {
      {"0", "0"},
      {"1_000", "1000"},
      {"0x_Ff", "255"},
      {"0XfF", "255"},
      {"0o17", "15"},
      {"0O17", "15"},
      {"0b1_01", "5"},
      {"0B11", "3"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"0x7fffffffffffffff", "9223372036854775807"},
      {"-0x8000000000000000", "-9223372036854775808"},
      {"1.5", "1.5"},
      {"5.", "5.0"},
      {"1_0.2_5", "10.25"},
      {"1e3", "1000.0"},
      {"1E-2", "0.01"},
      {"2.5e+1", "25.0"},
      {"1.to_string()", "(method 1 to_string)"},
      {"1._a()", "(method 1 _a)"},
      {"1..5", "(.. 1 5)"},
      {"1..=5", "(..= 1 5)"},
      {"1.5.floor()", "(method 1.5 floor)"},
      {"-5.abs()", "(method -5 abs)"},
      {"- 5.abs()", "(- (method 5 abs))"},
      {"-2 ** 2", "(** -2 2)"},
      {"a -5", "(- a 5)"},
      {"a - -5", "(- a -5)"},
  };
  check_trees(cases);
  const Case wrong[] = {
      {"9223372036854775808", "1:1: number does not fit into 64 bits with a sign"},
      {"- 9223372036854775808", "1:3: number does not fit into 64 bits with a sign"},
      {"99999999999999999999", "1:1: number does not fit into 64 bits with a sign"},
      {"0xffffffffffffffff", "1:1: hexadecimal number does not fit into 64 bits with a sign"},
      {"0x", "1:1: malformed number `0x`"},
      {"0b12", "1:1: malformed number `0b12`"},
      {"12ab", "1:1: malformed number `12ab`"},
      {"1e", "1:1: malformed number `1e`"},
      {"1.5x", "1:1: malformed number `1.5x`"},
      {"1e999", "1:1: number is out of the range of a float"},
      {".5", "1:1: expected an expression, found `.`"},
  };
  check_errors(wrong);
}

TEST_CASE("vsl lexer: strings and characters") {
  const Case cases[] = {
      {R"("")", R"("")"},
      {R"("a""b")", R"("a\"b")"},
      {R"("\t\n\r\\\"\'")", R"("\t\n\r\\\"'")"},
      {R"("\x41\u00e9\U0001F600")", "\"A\xC3\xA9\xF0\x9F\x98\x80\""},
      {"\"a\\\n  b\"", R"("a  b")"},
      {"\"a\\\r\nb\"", R"("ab")"},
      {"\"${x} // /* \"", R"("${x} // /* ")"},
      {"'x'", "'x'"},
      {"'\xC3\xA9'", "'\xC3\xA9'"},
      {R"('\'')", "'''"},
      {R"('"')", "'\"'"},
      {R"('\u00e9')", "'\xC3\xA9'"},
      {R"(#"a"b\n"#)", R"("a\"b\\n")"},
      {R"(##"a"#b"##)", R"("a\"#b")"},
      {"#\"two\nlines\"#", R"("two\nlines")"},
  };
  check_trees(cases);
  const Case wrong[] = {
      {R"("\q")", R"(1:2: unknown escape `\q`)"},
      {R"("\u{41}")", R"(1:2: `\u` needs 4 hexadecimal digits)"},
      {R"("\x4")", R"(1:2: `\x` needs 2 hexadecimal digits)"},
      {R"("\uD800")", R"(1:2: `\uD800` is no Unicode character)"},
      {R"("\U00110000")", R"(1:2: `\U00110000` is no Unicode character)"},
      {"\"abc", "1:1: this string is not closed on its line"},
      {"\"abc\nlet x = 1;", "1:1: this string is not closed on its line"},
      {"\"abc\\", "1:1: this string is not closed on its line | 1:5: unknown escape `\\`"},
      {"''", "1:1: a character literal holds exactly one character"},
      {"'ab'", "1:1: a character literal holds exactly one character, this one 2"},
      {"'a", "1:1: this character is not closed"},
      {"'", "1:1: this character is not closed"},
      {"#\"abc\"", "1:1: this raw string is not closed"},
  };
  check_errors(wrong);
}

TEST_CASE("vsl lexer: templates") {
  const Case cases[] = {
      {"``", R"("")"},
      {"`a\\n`", R"("a\\n")"},
      {"`\na\nb`", R"("a\nb")"},
      {"`\r\na`", R"("a")"},
      {"`a``b`", R"("a`b")"},
      {"`$a $ {`", R"("$a $ {")"},
      {"`\\${a}`", R"("${a}")"},
      {"`\\\\${a}`", R"("\\${a}")"},  // the second backslash is the one that counts
      {"`${}`", "(template {})"},
      {"`a${1}b${2}c`", R"((template "a" {1} "b" {2} "c"))"},
      {"`${1}${2}`", "(template {1} {2})"},
      {"`${let a = 1; a + 1}`", "(template {(let a 1) (+ a 1)})"},
      {"`${`${x}`}`", "(template {(template {x})})"},
      {"`${#{a: {1}}}`", "(template {#{a: {1}}})"},
      {"`${if a { \"}\" } else { `}` }}`", R"((template {(if a {"}"} else {"}"})}))"},
  };
  check_trees(cases);
  const Case wrong[] = {
      {"`abc", "1:1: this template is not closed"},
      {"`a${b", "1:1: this template is not closed"},
      {"`a${`b${c`", "1:1: this template is not closed"},
      {"`a${b}", "1:1: this template is not closed"},
      {"`a${b;)}`", "1:7: expected an expression, found `)`"},
      {"/* /* */", "1:1: this comment is not closed"},
      {"{ /* ", "1:3: this comment is not closed"},
  };
  check_errors(wrong);
}

TEST_CASE("vsl lexer: reserved words and symbols are errors with a hint") {
  for (const vsl::KeywordRow& row : vsl::keywords()) {
    CAPTURE(row.word);
    const std::string word(row.word);
    CHECK(errors("let " + word + " = 1;") == "1:5: '" + word + "' is a reserved keyword");
    CHECK(errors("fn " + word + "() {}") == "1:4: '" + word + "' is a reserved keyword");
    CHECK(errors("|" + word + "| 1") == "1:2: '" + word + "' is a reserved keyword");
    CHECK(errors("import \"x\" as " + word + ";") == "1:15: '" + word + "' is a reserved keyword");
    CHECK(dumped("x." + word) == "(. x " + word + ")");
    CHECK(dumped("x." + word + "()") == "(method x " + word + ")");
    CHECK(dumped("#{" + word + ": 1}") == "#{" + word + ": 1}");
  }
  for (const std::string word : {"rule", "action", "delegate", "object", "service"}) {
    CHECK(errors("let " + word + " = 1;") == "1:5: '" + word + "' is a reserved keyword");
    CHECK(dumped("x." + word) == "(. x " + word + ")");
    CHECK(dumped("#{" + word + ": 1}") == "#{" + word + ": 1}");
  }
  for (const std::string symbol : {"===", "!==", "->", "<-", ":=", ":;", "...", "++", "--", "::<", "<|", "|>", "*)", "#", "?", "~", "@", "$", "!."}) {
    CAPTURE(symbol);
    CHECK(errors("a " + symbol + " b") == "1:3: `" + symbol + "` is a reserved symbol");
  }
  CHECK(errors("(* a") == "1:1: `(*` is a reserved symbol");
  CHECK(errors("1;\n#!x") == "2:1: `#` is a reserved symbol");
  for (const std::string word : {"exit", "take", "sleep", "timestamp", "blob", "range", "toml", "connect", "ip4", "obj"}) {
    CHECK(dumped("let " + word + " = 1;") == "(let " + word + " 1)");
  }
  CHECK(errors("let _ = 1;") == "1:5: `_` is no name");
  CHECK(errors("let __ = 1;") == "1:5: a name needs at least one letter");
  CHECK(dumped("let _a = 1;") == "(let _a 1)");
}

TEST_CASE("vsl lexer: what is no text of a script") {
  CHECK(errors(std::string("let x = 1;\n\xFF", 12)) == "2:1: invalid UTF-8: octet 0xFF");
  CHECK(errors("let x = \"caf\xE9\";") == "1:13: invalid UTF-8: octet 0xE9");
  CHECK(errors("// \xC3\xA9\xC3") == "1:5: invalid UTF-8: octet 0xC3");
  CHECK(errors("\xC0\x80") == "1:1: invalid UTF-8: octet 0xC0");
  CHECK(errors("12345678\xED\xA0\x80") == "1:9: invalid UTF-8: octet 0xED");
  CHECK(errors(std::string("a\0b", 3)) == "1:2: unexpected control character 0");
  CHECK(errors("let \xC3\xA9 = 1;") == "1:5: unexpected character `\xC3\xA9`");
  CHECK(errors("f(\xE2\x80\x9Cx\xE2\x80\x9D)") == "1:3: unexpected character `\xE2\x80\x9C` | 1:5: unexpected character `\xE2\x80\x9D`");
  CHECK(errors("a \\ b") == "1:3: unexpected character `\\`");
}

TEST_CASE("vsl lexer: documentation is kept for functions and for the file") {
  vsl::test::Parsed parsed("//! About the file.\n//! More.\nlet x = 1;\n/// Adds.\n/// Two lines.\nfn add(a, b) { a + b }\n/** Block. */ private fn p() {}\n// no\nfn q() {}");
  REQUIRE(parsed.errors().empty());
  const auto& script = parsed.tree->script;
  CHECK(script.doc == "//! About the file.\n//! More.");
  REQUIRE(script.functions.size() == 3);
  CHECK(script.functions[0]->doc == "/// Adds.\n/// Two lines.");
  CHECK(script.functions[1]->doc == "/** Block. */");
  CHECK(script.functions[1]->is_private);
  CHECK(script.functions[2]->doc.empty());
}
