#include "vsl-filter/services/duration.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("duration: as people write it") {
  struct Row {
    const char* text;
    std::chrono::milliseconds expected;
  };
  for (const Row& row : {Row{"200ms", 200ms}, {"15s", 15s}, {"1m", 1min}, {"1h 30m", 90min}, {"1h30m", 90min}, {"1day", 24h}, {" 2 weeks ", 336h},
                         {"0s", 0ms}, {"1 hour 1 min 1 sec 1 ms", 3661001ms}, {"3D", 72h}}) {
    CAPTURE(row.text);
    CHECK(rules::parse_duration(row.text) == row.expected);
  }
}

TEST_CASE("duration: what is none") {
  for (const char* text : {"", " ", "s", "1", "1x", "-1s", "1.5s", "1s,2s", "1 s 2", "9223372036854775807ms 1ms", "9223372036854775807s", "99999999999999999999s"}) {
    CAPTURE(text);
    CHECK_FALSE(rules::parse_duration(text));
  }
}

TEST_CASE("duration: in messages") {
  CHECK(rules::duration_text(0ms) == "0 s");
  CHECK(rules::duration_text(250ms) == "250 ms");
  CHECK(rules::duration_text(90s) == "1 m 30 s");
  CHECK(rules::duration_text(24h) == "1 d");
}
