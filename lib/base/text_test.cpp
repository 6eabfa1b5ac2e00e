#include "lib/base/text.h"

#include <doctest/doctest.h>

using namespace base::text;

TEST_CASE("octets have factors of 1024 and refuse what is not a number") {
  CHECK(parse_octets("10") == 10);
  CHECK(parse_octets("4k") == 4096);
  CHECK(parse_octets("20M") == 20 * 1024 * 1024);
  for (const auto* bad : {"", "k", "-1", "1kb", "1 k", "18446744073709551616", "18446744073709551615k"}) CHECK_FALSE(parse_octets(bad));
}

TEST_CASE("durations are seconds unless a unit says otherwise") {
  CHECK(parse_duration_milliseconds("30") == 30'000);
  CHECK(parse_duration_milliseconds("250ms") == 250);
  CHECK(parse_duration_milliseconds("5d") == 5 * 86'400'000ULL);
  for (const auto* bad : {"", "s", "5 m", "1y"}) CHECK_FALSE(parse_duration_milliseconds(bad));
}

TEST_CASE("printable text shows what is not") {
  CHECK(printable("a\r\n\xff") == "a\\x0d\\x0a\\xff");
  CHECK(printable("abcdef", 3) == "abc...");
}

TEST_CASE("consuming eats from the front only when all of it is there") {
  std::string_view text = "250-ok";
  CHECK(consume_digits(text, 3) == 250);
  CHECK(consume(text, "-"));
  CHECK_FALSE(consume(text, "okay"));
  CHECK(text == "ok");
}
