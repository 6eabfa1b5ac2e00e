#include "lib/base/command_line.h"

#include <doctest/doctest.h>

#include <array>

using base::CommandLine;

namespace {
constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"maildir", "DIRECTORY", "deliver here"},
    {"from,f", "ADDRESS", "reverse-path"},
    {"json", "", "JSON"},
    {"trace", "WHAT", "tell", "little"},
});
constexpr auto kSettings = std::to_array<std::string_view>({"server.domain"});

base::Result<CommandLine> parse(std::vector<std::string> words, bool options_first = false) {
  std::vector<char*> argv;
  words.insert(words.begin(), "program");
  for (auto& word : words) argv.push_back(word.data());
  const base::Manual manual{"program", "8", "", "", "", kOptions, kSettings, options_first};
  return CommandLine::parse(manual, static_cast<int>(argv.size()), argv.data());
}
using Words = std::vector<std::string>;
}  // namespace

TEST_CASE("options, settings, arguments and the chain are told apart") {
  const auto line = parse({"--maildir", "md", "-f", "a@b", "one", "--domain=mx.example", "two", "--", "next", "--json", "--", "last"});
  REQUIRE(line);
  CHECK(line->text("maildir") == "md");
  CHECK(line->text("from") == "a@b");
  CHECK_FALSE(line->has("json"));
  CHECK(line->settings.text("server.domain") == "mx.example");
  CHECK(line->arguments == Words{"one", "two"});
  CHECK(line->has_chain);
  CHECK(line->chain == Words{"next", "--json", "--", "last"});
}

TEST_CASE("an option that has a value of its own takes another one only behind =") {
  const auto bare = parse({"--trace", "one"}), given = parse({"--trace=all", "one"});
  REQUIRE((bare && given));
  CHECK(bare->text("trace") == "little");
  CHECK(given->text("trace") == "all");
  CHECK(bare->arguments == Words{"one"});
  CHECK_FALSE(parse({"one"})->has("trace"));
}

TEST_CASE("a delivery call's addresses are never options") {
  const auto line = parse({"--json", "-f", "a@b", "host", "", "-f@example.org", "--json"}, true);
  REQUIRE(line);
  CHECK(line->has("json"));
  CHECK(line->text("from") == "a@b");
  CHECK(line->arguments == Words{"host", "", "-f@example.org", "--json"});
}

TEST_CASE("unknown, abbreviated and valueless options are refused as usage") {
  for (const auto& words : {Words{"--nonsense"}, Words{"--maild", "x"}, Words{"--maildir"}, Words{"-x"}, Words{"--json=1"}}) {
    CAPTURE(words.front());
    const auto line = parse(words);
    REQUIRE_FALSE(line);
    CHECK(line.error().fault == base::Fault::Usage);
  }
}

TEST_CASE("an option's bad value says what was expected") {
  const auto line = parse({"--log-level", "loud"});
  REQUIRE_FALSE(line);
  CHECK(line.error().cause == "--log-level: bad value 'loud' for log.level; expected: one of: debug info warning error");
}
