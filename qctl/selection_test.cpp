#include "qctl/selection.h"

#include <doctest/doctest.h>

#include <array>

using namespace std::chrono_literals;
using qctl::Selection;

namespace {
const base::WallTime kNow{1'800'000'000s};

qctl::Entry entry() {
  qctl::Entry entry;
  entry.place = *queue::Place::parse("deferred");
  entry.octets = 1000;
  entry.arrived = kNow - 1h;
  entry.reverse_path = "Bob@Example.com";
  entry.recipients = {"a@example.org", "\"b@c\"@example.net"};
  entry.reason = "451 4.7.1 come back";
  entry.attempts = 3;
  return entry;
}

base::Result<Selection> selection_of(std::vector<std::string> words) {
  constexpr auto kOptions = std::to_array<base::OptionRow>({
      {"queue", "Q", ""}, {"sender", "A", ""}, {"recipient", "A", ""}, {"domain", "D", ""},
      {"older", "T", ""}, {"newer", "T", ""}, {"larger", "N", ""}, {"smaller", "N", ""},
      {"quarantine", "N", ""}, {"reason", "T", ""}, {"rule", "N", ""}, {"attempts", "N", ""}, {"subject", "T", ""}, {"header", "F", ""},
  });
  words.insert(words.begin(), "qctl");
  std::vector<char*> line;
  for (auto& word : words) line.push_back(word.data());
  const base::Manual manual{.program = "qctl", .section = "8", .usage = "", .purpose = "", .examples = "", .options = kOptions};
  const auto parsed = base::CommandLine::parse(manual, static_cast<int>(line.size()), line.data());
  REQUIRE(parsed.has_value());
  return Selection::of(*parsed);
}
}  // namespace

TEST_CASE("qctl selection: patterns") {
  struct {
    std::string_view pattern, text;
    bool matches;
  } const kCases[] = {
      {"a@b", "A@B", true}, {"a@b", "a@bc", false}, {"*", "", true}, {"*", "x", true}, {"?", "", false}, {"?", "x", true}, {"", "", true}, {"", "x", false},
      {"*@example.org", "a@example.org", true}, {"*@example.org", "a@example.org.evil", false}, {"a*b*c", "aXXbYYbZc", true}, {"a*b*c", "aXXbYYbZ", false},
      {"[a]@b", "[a]@b", true}, {"***", "ab", true}, {"*?", "", false},
  };
  for (const auto& [pattern, text, matches] : kCases) {
    CAPTURE(pattern);
    CAPTURE(text);
    CHECK(qctl::matches_pattern(pattern, text) == matches);
  }
}

TEST_CASE("qctl selection: what the options take") {
  struct {
    std::vector<std::string> options;
    bool takes;
  } const kCases[] = {
      {{}, true},
      {{"--sender", "bob@example.com"}, true},
      {{"--sender", "<bob@example.com>"}, true},
      {{"--sender", "bob"}, false},
      {{"--sender", "<>"}, false},
      {{"--sender", "nobody@x", "--sender", "*@example.com"}, true},
      {{"--recipient", "a@example.org"}, true},
      {{"--recipient", "a@example.net"}, false},
      {{"--domain", "example.net"}, true},
      {{"--domain", "c"}, false},
      {{"--domain", "example.com"}, false},
      {{"--queue", "deferred"}, true},
      {{"--queue", "dead"}, false},
      {{"--older", "59m"}, true},
      {{"--older", "60m"}, false},
      {{"--newer", "61m"}, true},
      {{"--newer", "1h"}, false},
      {{"--larger", "999"}, true},
      {{"--larger", "1000"}, false},
      {{"--smaller", "1001"}, true},
      {{"--smaller", "1000"}, false},
      {{"--domain", "example.org", "--sender", "nobody@x"}, false},
      {{"--reason", "4.7.1"}, true},
      {{"--reason", "451*BACK"}, true},
      {{"--reason", "550"}, false},
      {{"--attempts", "3"}, true},
      {{"--attempts", "4"}, false},
      {{"--rule", "*"}, false},
      {{"--quarantine", "virus"}, false},
  };
  for (const auto& [options, takes] : kCases) {
    const auto selection = selection_of(options);
    REQUIRE(selection.has_value());
    CAPTURE(options.empty() ? std::string("none") : options.front() + " " + options.at(1));
    CHECK(selection->takes(entry(), kNow) == takes);
    CHECK(selection->has_criteria() == !options.empty());
  }
}

TEST_CASE("qctl selection: the null reverse-path is <>, and 'quarantine' means all of them") {
  auto bounce = entry();
  bounce.reverse_path.clear();
  CHECK(selection_of({"--sender", "<>"})->takes(bounce, kNow));
  CHECK(selection_of({"--sender", ""})->takes(bounce, kNow));
  CHECK_FALSE(selection_of({"--sender", "*@*"})->takes(bounce, kNow));
  CHECK(selection_of({"--queue", "quarantine"})->takes(*queue::Place::parse("quarantine/virus")));
  CHECK(selection_of({"--queue", "quarantine/virus"})->takes(*queue::Place::parse("quarantine/virus")));
  CHECK_FALSE(selection_of({"--queue", "quarantine/spam"})->takes(*queue::Place::parse("quarantine/virus")));
}

TEST_CASE("qctl selection: a quarantine by its name or a pattern, a message in it by its rule") {
  auto set_aside = entry();
  set_aside.place = *queue::Place::parse("quarantine/virus/zip");
  set_aside.context = R"({"quarantine":{"name":"virus/zip","rule":"scan zip"}})";
  CHECK(selection_of({"--quarantine", "virus/zip"})->takes(set_aside, kNow));
  CHECK(selection_of({"--quarantine", "virus*"})->takes(set_aside, kNow));
  CHECK(selection_of({"--queue", "quarantine/*"})->takes(set_aside, kNow));
  CHECK_FALSE(selection_of({"--quarantine", "virus"})->takes(set_aside, kNow));
  CHECK(selection_of({"--rule", "scan*"})->takes(set_aside, kNow));
  CHECK_FALSE(selection_of({"--rule", "scan"})->takes(set_aside, kNow));
  CHECK_FALSE(selection_of({"--quarantine", "../etc"}).has_value());
}

TEST_CASE("qctl selection: fields of the header, decoded; one of each name must match") {
  constexpr std::string_view kMessage = "Received: from a\r\nreceived: from b\r\nSubject: =?utf-8?q?Your_invoice?=\r\n =?utf-8?q?_of_May?=\r\n\r\nSubject: body\r\n";
  const auto takes = [&](std::vector<std::string> words) { return selection_of(std::move(words))->takes_header(kMessage); };
  CHECK(takes({}));
  CHECK(takes({"--subject", "INVOICE of"}));
  CHECK(takes({"--subject", "your*may"}));
  CHECK(takes({"--header", "received: from b"}));
  CHECK(takes({"--header", "Received:"}));
  CHECK(takes({"--subject", "nothing", "--subject", "invoice"}));
  CHECK_FALSE(takes({"--subject", "body"}));
  CHECK_FALSE(takes({"--header", "X-None:"}));
  CHECK_FALSE(takes({"--subject", "invoice", "--header", "Received: from c"}));
  CHECK_FALSE(selection_of({"--header", "Subject"}).has_value());
  CHECK_FALSE(selection_of({"--header", "a b: c"}).has_value());
}

TEST_CASE("qctl selection: a queue that cannot be is named with those that can") {
  const auto bad = selection_of({"--queue", "defered"});
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().cause == "no queue 'defered'; expected one of: working deliver deferred delegated hold dead quarantine/NAME");
  CHECK_FALSE(selection_of({"--queue", "../etc"}).has_value());
}

TEST_CASE("qctl selection: a bad number says what is expected") {
  const auto bad = selection_of({"--older", "tomorrow"});
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().fault == base::Fault::Usage);
  CHECK(bad.error().cause == "--older: 'tomorrow'; expected: a duration, such as 30s, 5m, 2h, 3d");
}
