#include "mime-check/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "lib/base/text.h"
#include "lib/lint/check.h"
#include "mime-check/filter.h"
#include "mime-check/options.h"

using namespace mime_check;
using nlohmann::json;

namespace {
constexpr std::string_view kMessage = "Date: yesterday\nFrom: a@b\n\nlast";

Findings checked(std::string_view octets) {
  Findings findings({}, {});
  check_message(octets, {}, findings);
  return findings;
}
std::string text_of(std::string_view octets, const ReportStyle& style = {}) {
  std::string out;
  append_text(out, "a.eml", octets, checked(octets), style);
  return out;
}

chain::Invocation invocation_of(std::string_view octets) {
  chain::Invocation invocation;
  invocation.call.message = base::Blob::of_octets(std::string(octets));
  return invocation;
}
std::string crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}
}  // namespace

TEST_CASE("report: a finding is a line as of a compiler, the line it means, and a caret") {
  CHECK(text_of(kMessage, {.least = Severity::Error, .has_colour = false}) ==
        "a.eml:1:7: error: not a date: expected the name of a day, such as Mon [RFC 5322 \u00a73.3] (bad-date)\n"
        "    1 | Date: yesterday\n"
        "      |       ^\n");
  CHECK(text_of(kMessage).contains("a.eml:4:5: note: last line has no line end [RFC 5322 \u00a72.1] (no-line-end)\n    4 | last\n      |     ^\n"));
  CHECK(text_of(kMessage, {.least = Severity::Note, .has_colour = true}).contains("\x1b[1;31merror: "));
  CHECK(text_of("\x1b[31mX: a\n").find('\x1b') == std::string::npos);
}

TEST_CASE("report: of a kind that has too many the rest is counted") {
  std::string message(kMessage);
  for (int i = 0; i < 15; ++i) message += "\n" + std::string(100, 'x');
  CHECK(text_of(message).contains("a.eml: note: and 5 more like it (long-line)\n"));
  CHECK_FALSE(text_of(message, {.least = Severity::Warning, .has_colour = false}).contains("more like it"));
}

TEST_CASE("report: JSON is one object a line, counts last") {
  std::string out;
  append_json(out, "a.eml", checked(kMessage), {});
  const auto lines = base::text::split(out, '\n');
  REQUIRE(lines.size() == 5);  // three findings, the counts, nothing behind the last line end
  CHECK(json::parse(lines[0])["id"] == "no-message-id");
  const auto first = json::parse(lines[1]);
  CHECK(first["id"] == "bad-date");
  CHECK(first["line"] == 1);
  CHECK(first["column"] == 7);
  CHECK(first["offset"] == 6);
  CHECK(first["severity"] == "error");
  CHECK(first["section"] == "RFC 5322 3.3");
  CHECK(first["file"] == "a.eml");
  CHECK(json::parse(lines[3]) == json{{"file", "a.eml"}, {"errors", 1}, {"warnings", 0}, {"notes", 2}});
}

TEST_CASE("report: a line is printed so that no terminal is moved by it, and the mark stands below its place") {
  const auto printed = [](std::string_view line, std::size_t at, std::size_t length = 1) {
    const auto result = print_line(line, at, length);
    return result.text + "|" + std::to_string(result.mark) + "+" + std::to_string(result.length);
  };
  CHECK(printed("abc", 1) == "abc|1+1");
  CHECK(printed("a\tb", 2) == "a b|2+1");
  CHECK(printed(std::string_view("\0b", 2), 1) == "\\x00b|4+1");
  CHECK(printed("\x1b[2J", 0) == "\\x1b[2J|0+4");
  CHECK(printed("\xc3\xa9x", 2) == "\xc3\xa9x|1+1");
  CHECK(printed("\xc3\xa9x", 0) == "\xc3\xa9x|0+1");
  CHECK(printed("\xffx", 1) == "\\xffx|4+1");
  CHECK(printed("\xe6\x97\xa5x", 3) == "\xe6\x97\xa5x|2+1");                  // a wide character
  CHECK(printed("e\xcc\x81x", 3) == "e\xcc\x81x|1+1");                        // a combining one
  CHECK(printed("a\xe2\x80\xae" "b", 4) == "a\\xe2\\x80\\xae" "b|13+1");      // right-to-left override
  CHECK(printed("\xc2\x9b" "2J", 0) == "\\xc2\\x9b" "2J|0+8");                // C1: a terminal may take it for ESC [
  CHECK(printed("abc", 1, 100) == "abc|1+2");
  CHECK(printed("abc", 50) == "abc|3+1");
  CHECK(printed("", 0) == "|0+1");
  const auto cut = print_line(std::string(1000, 'x'), 500, 3);
  CHECK(cut.text.size() == 3 + 60 + 60 + 3);
  CHECK(cut.mark == 63);
  CHECK(cut.length == 3);
  CHECK(print_line(std::string(1000, 'x'), 0, 1000).text.size() < 80);
}

TEST_CASE("report: the table has a row each, names that are one word, and sections") {
  std::set<std::string_view> names;
  for (const auto& row : kRows) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos);
    CHECK((row.section.starts_with("RFC ") || row.id == Id::LimitReached));
    CHECK_FALSE(row.text.empty());
  }
  std::string table;
  append_table(table, false);
  CHECK(base::text::split(table, '\n').size() == kRows.size() + 1);
}

TEST_CASE("filter: refuses with its own reply, in one line of ASCII that SMTP can carry") {
  FilterOptions options;
  const auto answer = filter(invocation_of(crlf(kMessage)), options);
  CHECK_FALSE(answer.passes);
  CHECK(answer.exit_code == base::kExitAsReported);
  CHECK(answer.report == "D554 5.6.0 line 1: not a date: expected the name of a day, such as Mon (RFC 5322 section 3.3); 1 error, 0 warnings, 2 notes");
  options.refuse_from.reset();
  CHECK(filter(invocation_of(crlf(kMessage)), options).passes);
  CHECK_FALSE(filter(invocation_of(crlf(kMessage)), options).message);

  options.refuse_from = Severity::Error;
  options.limits = {.in_all = 0, .of_a_kind = 0};
  CHECK(filter(invocation_of(crlf(kMessage)), options).report == "D554 5.6.0 malformed message; 1 error, 0 warnings, 2 notes");

  options.limits = {};
  const auto nasty = filter(invocation_of("Content-Type: multipart/x; boundary=\"" + std::string(900, '\xff') + "\"\r\n\r\n"), options);
  CHECK(nasty.report.size() < 512);
  CHECK(std::ranges::all_of(nasty.report, [](char c) { return c >= 32 && c < 127; }));

  auto with_argument = invocation_of(crlf(kMessage));
  with_argument.arguments = {"--refuse-on", "never"};
  CHECK(filter(with_argument, options).exit_code == base::exit_row(base::Fault::Usage).in_chain);
}

TEST_CASE("filter: marks what passes with a field in front, and the rest is as it was") {
  FilterOptions options;
  options.refuse_from.reset();
  options.mark = "X-MIME-Check";
  const auto octets = crlf(kMessage);
  const auto answer = filter(invocation_of(octets), options);
  CHECK(answer.passes);
  REQUIRE(answer.message);
  const auto view = answer.message->view();
  REQUIRE(view);
  CHECK(view->octets() ==
        "X-MIME-Check: errors=1 warnings=0 notes=2\r\n\tfirst=\"line 1: not a date: expected the name of a day, such as Mon (RFC 5322 section 3.3)\"\r\n" + octets);

  Findings clean({}, {});
  check_message("Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nFrom: a@b\r\nMessage-ID: <1@b>\r\n\r\n", {}, clean);
  CHECK(mark_field("X", clean) == "X: errors=0 warnings=0 notes=0\r\n");
}

TEST_CASE("options: what is wrong on the command line is said") {
  const auto parsed = [](std::vector<std::string> words) {
    words.insert(words.begin(), "mime-check");
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    auto line = base::CommandLine::parse(kManual, static_cast<int>(argv.size()), argv.data());
    REQUIRE(line);
    return std::move(*line);
  };
  const auto options = options_of(parsed({"--least", "warning", "--fail-on", "never", "--disable", "nul, bare-cr", "--parts-max", "7"}));
  REQUIRE(options);
  CHECK(options->style.least == Severity::Warning);
  CHECK_FALSE(options->fail_from);
  CHECK(options->disabled.count() == 2);
  CHECK(options->rules.limits.parts == 7);
  for (const auto& bad : {std::vector<std::string>{"--least", "never"}, {"--fail-on", "x"}, {"--disable", "no-such"}}) {
    const auto refused = options_of(parsed(bad));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().fault == base::Fault::Usage);
  }
  const auto filter_options = filter_options_of(parsed({"--refuse-on", "warning", "--mark", "X-A"}), *options);
  REQUIRE(filter_options);
  CHECK(filter_options->rules.is_wire);
  CHECK(filter_options->refuse_from == Severity::Warning);
  for (const auto* bad : {"A B", "A:", "", "\xc3\xa9"}) CHECK_FALSE(filter_options_of(parsed({"--mark", bad}), *options));
}
