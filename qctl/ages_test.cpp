#include "qctl/ages.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using qctl::age_column;

TEST_CASE("qctl ages: a message belongs to the first column that it is younger than") {
  struct {
    std::chrono::seconds age;
    std::string_view title;
  } const kCases[] = {
      {-10s, "5"}, {0s, "5"}, {299s, "5"}, {300s, "10"}, {599s, "10"}, {600s, "20"}, {1279min + 59s, "1280"}, {1280min, "1280+"}, {90000min, "1280+"},
  };
  for (const auto& [age, title] : kCases) CHECK(qctl::age_title(age_column(age)) == title);
}

TEST_CASE("qctl ages: the table looks as qshape prints it") {
  qctl::AgeTable table;
  table.add(1min, {"example.org", "example.org", "example.com"});
  table.add(30min, {"example.org"});
  table.add(2000min, {"a.example"});
  const auto text = qctl::to_text(table, {.width = 0, .empty = ".", .rows = 0, .utf8 = true});
  CAPTURE(text);
  CHECK(text.starts_with("                        T    5   10   20   40   80  160  320  640 1280 1280+\n"));
  CHECK(text.find("               TOTAL    3    1    .    .    1    .    .    .    .    .    1\n") != std::string::npos);
  CHECK(text.find("         example.org    2    1    .    .    1    .    .    .    .    .    .\n") != std::string::npos);
  CHECK(text.find("           a.example    1    .    .    .    .    .    .    .    .    .    1\n") != std::string::npos);
  CHECK(table.rows(0).front().name == "example.org");
}

TEST_CASE("qctl ages: rows are cut to the limit and the rest is counted") {
  qctl::AgeTable table;
  for (const auto* name : {"d", "c", "b", "a"}) table.add(1min, {name});
  table.add(1min, {"c"});
  const auto rows = table.rows(2);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "c");
  CHECK(rows[1].name == "a");
  const auto text = qctl::to_text(table, {.width = 0, .empty = "0", .rows = 2, .utf8 = true});
  CHECK(text.ends_with("            (2 more)\n"));
}

TEST_CASE("qctl ages: columns grow with the counts and names with the terminal") {
  qctl::AgeTable table;
  for (int i = 0; i < 12345; ++i) table.add(1min, {"a-rather-long-domain-name.example.org"});
  const auto wide = qctl::to_text(table, {.width = 0, .empty = ".", .rows = 0, .utf8 = true});
  CHECK(wide.find("a-rather-long-domain-name.example.org 12345 12345     .") != std::string::npos);
  const auto narrow = qctl::to_text(table, {.width = 80, .empty = ".", .rows = 0, .utf8 = false});
  CHECK(narrow.find("a-rather-long-domai~ 12345 12345     .") != std::string::npos);
}

TEST_CASE("qctl ages: JSON has the counts by column title") {
  qctl::AgeTable table;
  table.add(7min, {"x"});
  std::string json = "{";
  qctl::append_json(json, table, 0);
  CHECK(json.starts_with(R"({"messages":1,"ages":{"5":0,"10":1,"20":0)"));
  CHECK(json.find(R"("1280+":0},"rows":[{"name":"x","messages":1,"ages":{"5":0,"10":1)") != std::string::npos);
}

TEST_CASE("ages: a sample stands for the whole") {
  qctl::AgeTable table;
  for (int i = 0; i < 3; ++i) table.add(std::chrono::minutes(1), {"a"});
  table.add(std::chrono::hours(100), {"b"});
  qctl::AgeCounts whole;
  whole.total = 1'000'000;
  whole.by_age[0] = 760'000;
  whole.by_age[9] = 240'000;
  table.take_for_sample_of(whole);
  CHECK(table.total().by_age[0] == 760'000);
  const auto rows = table.rows(0);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "a");
  CHECK(rows[0].counts.by_age[0] == 750'000);
  CHECK(rows[1].counts.total == 250'000);
  qctl::AgeTable nothing;
  nothing.take_for_sample_of(whole);
  CHECK(nothing.total().total == 1'000'000);
}
