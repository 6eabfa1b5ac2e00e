#include "vsl-filter/transaction/reply.h"

#include <doctest/doctest.h>

#include "vsl-filter/transaction/stage.h"

TEST_CASE("reply: what parses as one and what does not") {
  struct Row { const char* text; int code; const char* enhanced; const char* words; };
  constexpr Row kRows[] = {
      {"554 5.7.1 Relay access denied", 554, "5.7.1", "Relay access denied"},
      {"554 text", 554, "", "text"},
      {"250  2.1.5  trusted", 250, "2.1.5", "trusted"},
      {"451 4.7.999 a", 451, "4.7.999", "a"},
      {"451 4.7 a", 451, "", "4.7 a"},
      {"451 4.7.1000 a", 451, "", "4.7.1000 a"},
      {"100 x", 100, "", "x"},
      {"599 x", 599, "", "x"},
      {"099 x", 0, "", ""},
      {"600 x", 0, "", ""},
      {"55 x", 0, "", ""},
      {"5544 x", 0, "", ""},
      {"554", 0, "", ""},
      {"554 5.7.1", 0, "", ""},
      {"554 5.7.1 ", 0, "", ""},
      {"no code", 0, "", ""},
      {"", 0, "", ""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    const auto reply = rules::Reply::parse(row.text);
    CHECK(reply.has_value() == (row.code != 0));
    if (reply) CHECK(*reply == rules::Reply{row.code, row.enhanced, row.words});
  }
  CHECK(rules::Reply{554, "5.7.1", "no"}.words() == "554 5.7.1 no");
  CHECK(rules::Reply{554, "", "no"}.words() == "554 no");
}

TEST_CASE("reply: long texts are folded at blanks, every line has the codes, the last one a blank") {
  const std::string words(7, 'w');
  std::string text;
  for (int i = 0; i < 20; ++i) text += (i == 0 ? "" : " ") + words;
  const auto lines = rules::Reply{554, "5.7.1", text}.lines();
  REQUIRE(lines.size() == 3);  // 68 code points a line: 8 words of 7 and their blanks are 63
  std::string joined;
  for (const std::string& line : lines) {
    CHECK(line.size() <= 78);
    CHECK(line.substr(3, 7) == (&line == &lines.back() ? " 5.7.1 " : "-5.7.1 "));
    joined += (joined.empty() ? "" : " ") + line.substr(10);
  }
  CHECK(joined == text);

  const auto wide = rules::Reply{250, "", std::string(75, 'x')}.lines();  // one more than fits, without a blank
  REQUIRE(wide.size() == 2);
  CHECK(wide[0] == "250-" + std::string(74, 'x'));
  CHECK(wide[1] == "250 x");
  CHECK(rules::Reply{250, "", std::string(74, 'x')}.lines().size() == 1);

  std::string umlauts;
  for (int i = 0; i < 75; ++i) umlauts += "ü";
  const auto counted = rules::Reply{250, "", umlauts}.lines();
  REQUIRE(counted.size() == 2);
  CHECK(counted[1] == "250 ü");

  const auto given = rules::Reply{550, "5.7.1", "first\r\nsecond\nthird"}.lines();
  CHECK(given == std::vector<std::string>{"550-5.7.1 first", "550-5.7.1 second", "550 5.7.1 third"});
}

TEST_CASE("stages: every name of every version") {
  CHECK(rules::stage_of("auth") == rules::Stage::Authenticate);
  CHECK(rules::stage_of("mail_from") == rules::Stage::Mail);
  CHECK(rules::stage_of("on_pre_queue") == rules::Stage::Preq);
  CHECK(rules::stage_of("deliver") == rules::Stage::Delivery);
  CHECK_FALSE(rules::stage_of("nosuch"));
  CHECK_FALSE(rules::stage_of(""));
  CHECK(rules::has(rules::from(rules::Stage::Mail), rules::Stage::Delivery));
  CHECK_FALSE(rules::has(rules::from(rules::Stage::Mail), rules::Stage::Authenticate));
  CHECK(rules::first_of(rules::from(rules::Stage::Preq)) == rules::Stage::Preq);
}
