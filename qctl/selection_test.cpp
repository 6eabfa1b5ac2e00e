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
  return entry;
}

base::Result<Selection> selection_of(std::vector<std::string> words) {
  constexpr auto kOptions = std::to_array<base::OptionRow>({
      {"queue", "Q", ""}, {"sender", "A", ""}, {"recipient", "A", ""}, {"domain", "D", ""},
      {"older", "T", ""}, {"newer", "T", ""}, {"larger", "N", ""}, {"smaller", "N", ""},
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
