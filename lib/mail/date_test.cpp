#include "lib/mail/date.h"

#include <doctest/doctest.h>

#include <stdlib.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "tests/testdata.h"

using namespace mail;

namespace {
std::string written(long long seconds, Zone zone = Zone::Utc) {
  std::string text;
  append_date_time(text, base::WallTime{std::chrono::seconds(seconds)}, zone);
  return text;
}
}  // namespace

TEST_CASE("date: written as RFC 5322 section 3.3 asks") {
  CHECK(written(0) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(written(880127706) == "Fri, 21 Nov 1997 15:55:06 +0000");
  CHECK(written(951782400) == "Tue, 29 Feb 2000 00:00:00 +0000");
  CHECK(written(-1) == "Wed, 31 Dec 1969 23:59:59 +0000");
  CHECK(written(4102444799) == "Thu, 31 Dec 2099 23:59:59 +0000");
}

TEST_CASE("date: local time shows its own offset") {
  const char* before = ::getenv("TZ");
  const std::string kept = before != nullptr ? before : "";
  const auto in_zone = [&](const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    return written(880127706, Zone::Local);
  };
  CHECK(in_zone("NST3:30") == "Fri, 21 Nov 1997 12:25:06 -0330");
  CHECK(in_zone("LINT-14") == "Sat, 22 Nov 1997 05:55:06 +1400");
  CHECK(in_zone("UTC0") == "Fri, 21 Nov 1997 15:55:06 +0000");
  before != nullptr ? ::setenv("TZ", kept.c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("date: read as RFC 5322 sections 3.3 and 4.3 ask") {
  const auto file = testdata::find("mime/dates.json");
  if (file.empty()) return;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  for (const auto& test : suite["cases"]) {
    const auto input = test["input"].get<std::string>();
    CAPTURE(input);
    const auto date = parse_date_time(input);
    CHECK(date.has_value() == !test["utc"].is_null());
    if (!date || test["utc"].is_null()) continue;
    auto expected = test["utc"].get<std::string>();
    if (expected == "2016-12-31T23:59:60Z") expected = "2017-01-01T00:00:00Z";  // POSIX time has no leap seconds
    std::tm utc{};
    const std::time_t seconds = date->time().time_since_epoch().count();
    ::gmtime_r(&seconds, &utc);
    char text[40];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    CHECK(text == expected);
  }
}

TEST_CASE("date: dates of mail-parser, in order or refused") {
  const auto file = testdata::find("mime/mail-parser/headers/date.json");
  if (file.empty()) return;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  int read = 0;
  for (const auto& test : suite) {
    const auto header = test["header"].get<std::string>();
    CAPTURE(header);
    if (header.contains("\ncomment")) continue;  // its field ends there
    const auto date = parse_date_time(header);
    if (!date) continue;  // it guesses at numbers where we do not
    ++read;
    const auto& expected = test["expected"];
    REQUIRE(expected.is_object());
    CHECK(static_cast<int>(date->year) == expected["year"].get<int>());
    CHECK(static_cast<int>(date->month) == expected["month"].get<int>());
    CHECK(static_cast<int>(date->day) == expected["day"].get<int>());
    CHECK(static_cast<int>(date->hour) == expected["hour"].get<int>());
    CHECK(static_cast<int>(date->second) == expected["second"].get<int>());
    const int minutes = expected["tz_hour"].get<int>() * 60 + expected["tz_minute"].get<int>();
    CHECK(date->zone_minutes == (expected["tz_before_gmt"].get<bool>() ? -minutes : minutes));
  }
  CHECK(read >= 28);
}

TEST_CASE("date: what is obsolete or odd is said, what is wrong has a place") {
  CHECK_FALSE(parse_date_time("Fri, 21 Nov 1997 09:55:06 -0600")->is_obsolete);
  CHECK_FALSE(parse_date_time(" Fri, 21 Nov 1997 09:55 +0000 (GMT)\r\n")->is_obsolete);
  for (const auto* obsolete : {"21 Nov 97 09:55 +0000", "21 Nov 1997 09:55 GMT", "21 Nov 1997 09 : 55 +0000", "21 (x) Nov 1997 09:55 +0000"}) {
    CAPTURE(obsolete);
    CHECK(parse_date_time(obsolete)->is_obsolete);
  }
  CHECK(parse_date_time("Mon, 21 Nov 1997 09:55:06 -0600")->has_wrong_day_name);
  CHECK_FALSE(parse_date_time("21 Nov 1997 09:55:06 -0000")->is_zone_known);
  CHECK_FALSE(parse_date_time("21 Nov 1997 09:55:06 XYZ")->is_zone_known);
  CHECK(parse_date_time("21 Nov 1997 09:55:06 GMT")->is_zone_known);

  struct Case {
    std::string_view body, expected;
    std::size_t offset;
  };
  for (const auto& [body, expected, offset] : std::initializer_list<Case>{
           {"", "the day of the month", 0},
           {"Foo, 1 Jan 2024", "the name of a day, such as Mon", 0},
           {"Mon 1 Jan 2024", "a comma behind the name of the day", 4},
           {"1 Foo 2024 00:00 +0000", "the name of a month, such as Jan", 2},
           {"1 Jan 2 00:00 +0000", "the year in four digits", 6},
           {"1 Jan 99999 00:00 +0000", "the year in four digits", 6},
           {"31 Feb 2024 00:00 +0000", "a day that the month has", 0},
           {"1 Jan 2024 1:00 +0000", "the hour in two digits", 11},
           {"1 Jan 2024 24:00 +0000", "the hour in two digits", 11},
           {"1 Jan 2024 00:60 +0000", "the minute in two digits", 14},
           {"1 Jan 2024 00:00:61 +0000", "the second in two digits", 17},
           {"1 Jan 2024 00:00:00", "a zone such as +0100", 19},
           {"1 Jan 2024 00:00:00 +0160", "a zone such as +0100", 20},
           {"1 Jan 2024 00:00:00 +0100 x", "the end of the date", 26},
       }) {
    CAPTURE(body);
    const auto date = parse_date_time(body);
    REQUIRE_FALSE(date);
    CHECK(date.error().expected == expected);
    CHECK(date.error().offset == offset);
  }
}

TEST_CASE("date: what is written is read back") {
  for (long long seconds = -3'000'000'000; seconds < 9'000'000'000; seconds += 98'765'432) {
    const auto date = parse_date_time(written(seconds));
    REQUIRE(date);
    CHECK(date->time().time_since_epoch().count() == seconds);
    CHECK_FALSE(date->has_wrong_day_name);
    CHECK_FALSE(date->is_obsolete);
  }
}
