// What the parser says to wrong scripts: place, text and what would be right.
#include <doctest/doctest.h>

#include "vsl-filter/lang/test_dialect.h"

using vsl::test::dumped;
using vsl::test::errors;
using vsl::test::Parsed;

namespace {

struct Mistake {
  std::string script;
  std::string expected;  // all of Parsed::errors()
  std::string help;      // of the first one
};

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  out.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("vsl parser: the commonest mistakes are told with what would be right") {
  const Mistake mistakes[] = {
      {"let x = 1\nlet y = 2;", "1:10: `;` is missing", "statements end with `;`; only the last one of a block may go without"},
      {"if a = b { 1 }", "1:6: `=` assigns and is no condition", "equality is written `==` or `is`"},
      {"while a = b { 1 }", "1:9: `=` assigns and is no condition", "equality is written `==` or `is`"},
      {"if a { 1 } elif b { 2 }", "1:12: unexpected `elif`", "write `else if`"},
      {"if a { 1 } elsif b { 2 } else { 3 }", "1:12: unexpected `elsif`", "write `else if`"},
      {"if a then { 1 }", "1:6: unexpected `then`", "write `if condition { ... }`"},
      {"if a b", "1:6: expected `{` after the condition, found `b`", "the braces of a block are never left out"},
      {"if a => b { 1 }", "1:6: expected `{` after the condition, found `=>`", "greater or equal is written `>=`"},
      {"let x == 5;", "1:7: expected `=`, found `==`", ""},
      {"for (i = 0; i < 9; i) {}", "1:8: expected `,`, found `=`", "a loop over numbers is written `for i in 0..10`"},
      {"let f = x => x;", "1:11: expected `;`, found `=>`", "a closure is written `|x| x + 1`; greater or equal is `>=`"},
      {"log \"x\";", "1:5: expected `;`, found a string", "arguments stand in parentheses: `f(\"text\")`"},
      {"let z = f\"x\";", "1:10: expected `;`, found a string", "values are put into a text as `${...}` between back-ticks"},
      {"return x if y;", "1:10: expected `;`, found `if`", "the condition stands first: `if condition { ... }`"},
      {"try { 1 } catch e { 2 }", "1:17: expected `{` or `(` after `catch`, found `e`", "write `catch (e) { ... }`"},
      {"import \"x\" m;", "1:12: expected `;`, found `m`", "the name follows after `as`: `import \"path\" as name;`"},
      {"{ \"a\": 1 }", "1:6: unexpected `:`", "a map is written `#{ key: value }`; braces alone are a block"},
      {"a and b", "1:3: unexpected `and`", "the logical operator is written `&&`"},
      {"a && b or c", "1:8: unexpected `or`", "the logical operator is written `||`"},
      {"f('text')", "1:3: a character literal holds exactly one character, this one 4", "texts stand between double quotes: \"text\""},
      {"let m = { a: 1 };", "1:12: unexpected `:`", "a map is written `#{ key: value }`; braces alone are a block"},
      {"let m = #{ a = 1 };", "1:14: expected `:`, found `=`", "in a map, key and value are separated by `:`"},
      {"[rule \"a\" || next()\n rule \"b\" || next()]", "1:20: `,` is missing after this directive", ""},
      {"[1\n 2]", "1:3: `,` is missing after this element", ""},
      {"#{a: 1\n b: 2}", "1:7: `,` is missing after this entry", ""},
      {"f(1 2)", "1:5: expected `,` or `)`, found `2`", ""},
      {"rule \"x\" { next() }", "1:10: expected `||`, found `{`", "the body of a directive is a closure: `|| { ... }`"},
      {"rule \"x\" next()", "1:10: expected `||`, found `next`", "the body of a directive is a closure: `|| { ... }`"},
      {"rule x || 1", "1:6: expected the name of the directive, found `x`", "write `rule \"name\" || ...`"},
      {"rule `x` || 1", "1:6: the name of a directive must be a plain string", "it stands between double quotes"},
      {"rule \"x\"", "1:9: expected `||` and what the directive does, found the end of the file", ""},
      {"rule \"x\" |a, b| 1", "1:14: the closure of a directive takes at most one parameter", ""},
      {"delegate \"x\" || 1", "1:10: expected the service after `delegate`, found the name", "write `delegate service \"name\" || ...`"},
      {"var x = 1;", "1:1: 'var' is a reserved keyword", "variables are declared with `let`"},
      {"function f() {}", "1:1: unexpected `function`", "functions are defined with `fn`"},
      {"let a = b = 1;", "1:11: unexpected `=`", "assignment is a statement of its own and has no value; equality is written `==`"},
      {"a = b = 1;", "1:7: assignment is a statement and has no value", "write one assignment after the other"},
      {"(a = 1)", "1:4: assignment is a statement and has no value", "equality is written `==`"},
      {"f() = 1;", "1:1: cannot assign to this", "a variable, a property or an element of one can be assigned; equality is written `==`"},
      {"let x: int = 1;", "1:6: expected `=`, found `:`", "variables have no declared type: `let x = ...`"},
      {"fn f(a: int) {}", "1:7: expected `,`, found `:`", "parameters have no declared type"},
      {"{ fn f() {} }", "1:3: functions can be defined only at the top level of a file",
       "inside of a block use a closure: `let f = |a, b| { ... };` and `f.call(1, 2)`"},
      {"let x = null;", "1:9: 'null' is a reserved keyword", "nothing is written `()`"},
      {"x ? 1 : 2", "1:3: `?` is a reserved symbol", "there is no `? :`; write `if condition { a } else { b }`, which has a value"},
      {"switch x { default => 1 }", "1:12: 'default' is a reserved keyword", "the last case is written `_ => ...`"},
      {"switch x { 1: 2 }", "1:13: expected `=>`, found `:`", "cases are written `label => ...`"},
      {"switch x { y => 2 }", "1:12: the label of a case must be a literal value",
       "numbers, strings, characters, true, false, (), arrays and maps of these, ranges of integers; conditions are written `_ if ... =>` as guards "
       "of such a label, or as `if`"},
      {"switch x { 1 => let y = 2 }", "1:17: a case cannot declare anything", "put it into a block: `=> { ... }`"},
      {"let r = try { 1 } catch { 2 };", "1:9: `try` is a statement and has no value", "assign to a variable inside of its blocks"},
      {"for x, i in y {}", "1:6: expected `in`, found `,`", "with a counter: `for (value, index) in ...`"},
      {"for x of y {}", "1:7: expected `in`, found `of`", ""},
      {"import x as y;", "1:8: the path of an import must be a plain string", "write `import \"x\" as x;`"},
      {"import a + b;", "1:8: the path of an import must be a plain string", "imports are resolved before the script runs"},
      {"export fn f() {}", "1:8: unexpected `fn`", "functions are exported unless they are `private`"},
      {"{ export let a = 1; }", "1:3: `export` is possible only at the top level of a file", ""},
      {"f(1)(2)", "1:5: only functions can be called by name", "a function pointer is called with `.call(...)`"},
      {"eval(\"1\")", "1:1: 'eval' is disabled", ""},
      {"print", "1:1: 'print' is a reserved keyword", "it is a function: `print(...)`"},
      {"a.", "1:3: expected the name of a property or method after the dot, found the end of the file", ""},
      {"a.1", "1:3: expected the name of a property or method after the dot, found `1`", ""},
      {"object x nosuch = 1;", "1:10: Improper object type 'nosuch'.", ""},
      {"object x adress = 1;", "1:10: Improper object type 'adress'.", "did you mean `address`?"},
      {"object x fil:ip4 = 1;", "1:10: Improper object type 'fil:ip4'.", ""},
      {"object ip4 \"a b\" \"1.2.3.4\";", "1:12: 'a b' cannot be the name of a variable", "names hold letters, digits and `_`"},
      {"obj ip4 \"let\" \"1.2.3.4\";", "1:9: 'let' cannot be the name of a variable", "names hold letters, digits and `_`"},
  };
  for (const Mistake& each : mistakes) {
    CAPTURE(each.script);
    Parsed parsed(each.script);
    CHECK(parsed.errors() == each.expected);
    if (!parsed.diagnostics.all().empty()) CHECK(parsed.diagnostics.all()[0].help == each.help);
  }
}

TEST_CASE("vsl parser: all errors come at once") {
  CHECK(errors("let x = ;\nlet y = 1;\nfn f( { }\nlet z = );\n") ==
        "1:9: expected an expression, found `;` | 3:7: expected a parameter, found `{` | 4:9: expected an expression, found `)`");
  CHECK(errors(R"(#{
    connect: [
        rule "a" || if x { deny( } else { next() },
        rule "b" || { let = 3; accept() },
        rule || next(),
    ],
    mail: [ rule "c" || foo(1,,2) ],
})") ==
        "3:34: expected an expression, found `}` | 4:27: expected the name of the variable, found `=` | 5:14: expected the name of the directive, "
        "found `||` | 7:31: expected an expression, found `,`");
  CHECK(errors("#{\n c: [\n  rule \"a\" || if x { if y { next(),\n  rule \"b\" || deny(),\n ],\n d: [ rule \"c\" || ) ],\n}") ==
        "3:20: this `{` is not closed | 3:27: this `{` is not closed | 6:19: expected an expression, found `)`");
  CHECK(errors("{\n connect: [\n  rule \"a\" || next(),\n ],\n mail: [ rule \"b\" || deny() ],\n}") == "2:9: unexpected `:`");
  CHECK(errors("#{ a: 1; b: 2 }") == "1:8: expected `,` or `}`, found `;`");
  CHECK(errors("[1; 2]") == "1:3: expected `,` or `]`, found `;`");
  CHECK(errors("let a = [1, 2;\nlet b = (1;\nlet c = f(1, [2;\nlet d = #{ a: [1 };\nlet e = ;") ==
        "1:14: expected `]`, found `;` | 2:11: expected `)`, found `;` | 3:16: expected `]`, found `;` | 4:18: expected `]`, found `}` | 5:9: expected an "
        "expression, found `;`");
  CHECK(errors("}\nlet x = ;") == "1:1: this `}` closes nothing | 2:9: expected an expression, found `;`");
  CHECK(errors("let a = 1 let b = 2;\nlet c = ;") == "1:11: expected `;`, found `let` | 2:9: expected an expression, found `;`");
}

TEST_CASE("vsl parser: what is not closed is named where it was opened") {
  for (const std::string open : {"(", "[", "{", "#{", "f(", "a[", "a?[", "switch x {", "if x {", "loop {", "fn f() {", "|| {", "rule \"a\" || {", "#{ connect: [",
                                 "for x in y {", "try {", "`${", "f(|x", "fn f(a, b"}) {
    CAPTURE(open);
    Parsed parsed(open);
    CHECK(parsed.diagnostics.errors() == 1);
    Parsed more("{ let y = " + open + "1");
    CHECK(more.diagnostics.errors() >= 1);
  }
  CHECK(errors("f(1, 2") == "1:2: this `(` is not closed");
  CHECK(errors("{ a; { b }") == "1:1: this `{` is not closed");
  CHECK(errors("#{ a: [1, 2") == "1:7: this `[` is not closed");
  CHECK(errors("f(1]") == "1:4: expected `)`, found `]`");
  Parsed parsed("let x = [1, (");
  REQUIRE(parsed.diagnostics.errors() == 1);
  CHECK(parsed.errors() == "1:14: expected an expression, found the end of the file");
  REQUIRE(parsed.diagnostics.all()[0].notes.size() == 1);
  CHECK(parsed.diagnostics.all()[0].notes[0].message == "this `(` is not closed");
}

TEST_CASE("vsl parser: nesting is limited, below, at and above the limit") {
  const vsl::ParseLimits limits{.nesting = 10};
  const auto told = [&](const std::string& open, std::size_t depth, const std::string& close) {
    return Parsed(repeated(open, depth) + "1" + repeated(close, depth), limits).errors();
  };
  // The expression itself is the first one.
  CHECK(told("(", 8, ")").empty());
  CHECK(told("(", 9, ")").empty());
  CHECK(told("(", 10, ")").starts_with("1:11: Expression exceeds maximum complexity"));
  CHECK(told("[", 9, "]").empty());
  CHECK(told("[", 10, "]").starts_with("1:11: Expression exceeds maximum complexity"));
  CHECK(told("{", 9, "}").empty());
  CHECK(told("|| ", 9, "").empty());
  CHECK(told("|| ", 10, "").starts_with("1:31: Expression exceeds maximum complexity"));
  CHECK(told("`${", 9, "}`").empty());
  CHECK(told("`${", 10, "}`").starts_with("1:31: Expression exceeds maximum complexity"));
  CHECK(told("switch 1 { 1 => ", 9, "}").empty());
  CHECK_FALSE(told("switch 1 { 1 => ", 10, "}").empty());
  CHECK(told("if a { ", 9, "}").empty());
  CHECK_FALSE(told("if a { ", 10, "}").empty());
  CHECK(told("{", 10, "}").starts_with("1:11: Expression exceeds maximum complexity"));
}

TEST_CASE("vsl parser: no nesting overflows the stack") {
  constexpr std::size_t kDeep = 200'000;
  for (const std::string open : {"(", "[", "{", "#{a:", "f(", "a[", "!", "- ", "|| ", "if a {", "if ", "switch ", "switch 1 { 1 => ", "while ", "loop {", "for x in ",
                                 "try {", "`${", "2 ** ", "a.f(", "rule \"a\" || ", "delegate ", "object a ip4 = ", "|a| {", "do {", "let x = {",
                                 "a && (", "|| return ", "{ throw "}) {
    CAPTURE(open);
    const std::string told = errors(repeated(open, kDeep));
    CHECK(told.find("Expression exceeds maximum complexity") != std::string::npos);
  }
  for (const std::string open : {"fn f() {", "import ", "return ", "export "}) CHECK_FALSE(errors(repeated(open, kDeep)).empty());
}

TEST_CASE("vsl parser: long chains are limited by their own limit") {
  const vsl::ParseLimits limits{.height = 100};
  const auto told = [&](std::string_view first, std::string_view more, std::size_t count) {
    return Parsed(std::string(first) + repeated(more, count), limits).errors();
  };
  CHECK(told("a", " + a", 98).empty());
  CHECK(told("a", " + a", 99).empty() == false);
  CHECK(told("a", ".b", 97).empty());
  CHECK(told("a", ".b", 200).find("more than 100 operators and calls in a chain") != std::string::npos);
  CHECK(told("a", "[0]", 200).find("in a chain") != std::string::npos);
  // Not deep: lists and else-if chains of any length.
  CHECK(told("if a { 1 }", " else if b { 2 }", 5000).empty());
  CHECK(told("f();", " f();", 5000).empty());
  CHECK(errors("[" + repeated("1,", 100'000) + "]").empty());
  // A thousand operators are nothing unusual in generated rules.
  CHECK(errors("a" + repeated(" || a", 1000)).empty());
}

TEST_CASE("vsl parser: large scripts are read in a short time, wrong ones too") {
  const std::string line = "let value = some_function(1, \"text\", [1, 2, 3]).method(#{ key: other }) + 17; // comment\n";
  const std::string large = repeated(line, 10 * 1024 * 1024 / line.size());
  CHECK(errors(large).empty());
  for (const std::string bad : {"}", ")", "let ", "\"", "'", "~", "a b ", "#{", "`", "/*", "rule ", "\\", "0x ", "fn "}) {
    CAPTURE(bad);
    Parsed parsed(repeated(bad, 1024 * 1024 + 1));
    CHECK(parsed.diagnostics.has_errors());
    CHECK(parsed.diagnostics.all().size() <= vsl::Diagnostics::kMostKept);
  }
  CHECK(Parsed("1 + 1", vsl::ParseLimits{.source_octets = 5}).errors().empty());
  CHECK(Parsed("1 + 1", vsl::ParseLimits{.source_octets = 4}).errors() == "1:1: script of 5 octets; the limit is 4");
}
