#include "vsl-filter/lang/diagnostic.h"

#include <doctest/doctest.h>

#include "vsl-filter/lang/nearest.h"

using vsl::Diagnostics;
using vsl::Sources;

TEST_CASE("vsl source: line and column from 1, columns in code points") {
  Sources sources;
  const auto& source = sources.add("a.vsl", "ab\n\xC3\xA9x\r\n\nlast");
  const auto at = [&](std::uint32_t offset) {
    const auto place = source.locate(offset);
    return std::pair(place.line, place.column);
  };
  CHECK(at(0) == std::pair(1U, 1U));
  CHECK(at(2) == std::pair(1U, 3U));
  CHECK(at(3) == std::pair(2U, 1U));
  CHECK(at(5) == std::pair(2U, 2U));
  CHECK(at(8) == std::pair(3U, 1U));
  CHECK(at(9) == std::pair(4U, 1U));
  CHECK(at(1000) == std::pair(4U, 5U));
  CHECK(source.lines() == 4);
  CHECK(source.line(2) == "\xC3\xA9x");
  CHECK(source.line(3).empty());
  CHECK(source.line(4) == "last");
  CHECK(source.line(5).empty());
}

TEST_CASE("vsl diagnostics: rendered with line, caret, help and notes") {
  Sources sources;
  sources.add("main.vsl", "#{\n    connect: [ rule \"a\" || acept() ],\n}\n");
  Diagnostics diagnostics;
  diagnostics.error({0, 30, 35}, "Function not found: acept").with_help("did you mean `accept`?").with_note({0, 7, 14}, "in this stage");
  CHECK(render(diagnostics, sources) ==
        "main.vsl:2:28: error: Function not found: acept\n"
        "   2 |     connect: [ rule \"a\" || acept() ],\n"
        "     |                            ^~~~~\n"
        "     = help: did you mean `accept`?\n"
        "main.vsl:2:5: note: in this stage\n"
        "   2 |     connect: [ rule \"a\" || acept() ],\n"
        "     |     ^~~~~~~\n"
        "1 error\n");
  CHECK(render_json(diagnostics.all()[0], sources) ==
        R"({"severity":"error","file":"main.vsl","line":2,"column":28,"end_line":2,"end_column":33,"message":"Function not found: acept",)"
        R"("help":"did you mean `accept`?","notes":[{"file":"main.vsl","line":2,"column":5,"end_line":2,"end_column":12,"message":"in this stage"}]})");
  CHECK(render(diagnostics, sources, true).find("\033[1;31merror:\033[0m") != std::string::npos);
}

TEST_CASE("vsl diagnostics: odd places and texts are shown safely") {
  Sources sources;
  sources.add("x\n.vsl", "\tf(\xC3\xA9\x1B[31m)\n" + std::string(1000, 'a') + "!" + std::string(1000, 'b'));
  Diagnostics diagnostics;
  diagnostics.error({0, 3, 5}, "tab");
  CHECK(render(diagnostics.all()[0], sources) ==
        "x\xEF\xBF\xBD.vsl:1:4: error: tab\n   1 | \tf(\xC3\xA9\xEF\xBF\xBD[31m)\n     | \t  ^\n");
  diagnostics.error({0, 1012, 1013}, "long");
  const std::string text = render(diagnostics.all()[1], sources);
  CHECK(text.size() < 600);
  const auto line = text.find("...") + 3;
  const auto caret = text.find('^');
  const auto mark = text.find('!');
  REQUIRE(caret != std::string::npos);
  REQUIRE(mark != std::string::npos);
  CHECK(mark - line == caret - (text.rfind('|') + 2 + 3));
  diagnostics.error({0, 99999, 100000}, "past the end");
  diagnostics.error({7, 1, 2}, "no such source");
  CHECK(render(diagnostics.all()[3], sources) == "error: no such source\n");
}

TEST_CASE("vsl diagnostics: many are counted, few are kept, errors before warnings") {
  Diagnostics diagnostics;
  for (int i = 0; i < 150; ++i) diagnostics.warning({0, 0, 0}, "w").with_help("h");
  diagnostics.error({0, 0, 0}, "e");
  CHECK(diagnostics.warnings() == 150);
  CHECK(diagnostics.errors() == 1);
  CHECK(diagnostics.all().size() == Diagnostics::kMostKept);
  CHECK(diagnostics.all().back().message == "e");
  Sources sources;
  sources.add("a", "x");
  CHECK(render(diagnostics, sources).ends_with("1 error, 150 warnings (51 not shown)\n"));
}

TEST_CASE("vsl nearest: the name that was meant") {
  CHECK(vsl::edit_distance("accept", "acept", 3) == 1);
  CHECK(vsl::edit_distance("accept", "accpet", 3) == 1);
  CHECK(vsl::edit_distance("", "abc", 3) == 3);
  CHECK(vsl::edit_distance("abc", "xyz", 2) == 3);
  CHECK(vsl::edit_distance("abcdef", "a", 2) == 3);
  CHECK(vsl::edit_distance("ABC", "abc", 2) == 0);
  const auto nearest = [](std::string_view wanted) {
    vsl::Nearest search(wanted);
    for (const std::string_view name : {"accept", "deny", "next", "get_header", "get_headers", "rewrite_mail_from"}) search.see(name);
    return std::string(search.name());
  };
  CHECK(nearest("acept") == "accept");
  CHECK(nearest("denny") == "deny");
  CHECK(nearest("getheader") == "get_header");
  CHECK(nearest("get_headrs") == "get_headers");
  CHECK(nearest("xyz") == "");
  CHECK(nearest("q") == "");
  CHECK(nearest(std::string(100, 'a')) == "");
}
