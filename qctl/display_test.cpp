#include "qctl/display.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

using namespace std::chrono_literals;

TEST_CASE("qctl display: nothing that steers a terminal gets through") {
  struct {
    std::string_view octets, shown, shown_ascii;
  } const kCases[] = {
      {"a@example.org", "a@example.org", "a@example.org"},
      {"\x1b[31mred", "\\x1b[31mred", "\\x1b[31mred"},
      {"a\r\nb\tc\x7f", "a\\x0d\\x0ab\\x09c\\x7f", "a\\x0d\\x0ab\\x09c\\x7f"},
      {"j\u00f6rg", "j\u00f6rg", "j\\u{F6}rg"},
      {"\u009b31m", "\\u{9B}31m", "\\u{9B}31m"},                    // CSI as one C1 character
      {"a\u202egro.elpmaxe", "a\\u{202E}gro.elpmaxe", "a\\u{202E}gro.elpmaxe"},  // right-to-left override
      {"zero\u200bwidth", "zero\\u{200B}width", "zero\\u{200B}width"},
      {"\xff\xc3", "\\xff\\xc3", "\\xff\\xc3"},
      {std::string_view("a\0b", 3), "a\\x00b", "a\\x00b"},
  };
  for (const auto& [octets, shown, shown_ascii] : kCases) {
    CHECK(qctl::printable_text(octets, true) == shown);
    CHECK(qctl::printable_text(octets, false) == shown_ascii);
  }
  CHECK(qctl::printable_lines("A: b\r\n\tc\rd\x1b\n", true) == "A: b\n\tc\\x0dd\\x1b\n");
}

TEST_CASE("qctl display: every octet and every pair is safe") {
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second) {
      const std::string octets = {static_cast<char>(first), static_cast<char>(second)};
      const auto shown = qctl::printable_text(octets, true);
      const bool safe = std::ranges::none_of(shown, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
      REQUIRE_MESSAGE(safe, octets);
    }
}

TEST_CASE("qctl display: text is cut by columns, not by octets") {
  CHECK(qctl::display_columns("j\u00f6rg") == 4);
  CHECK(qctl::display_columns("\u65e5\u672c") == 4);
  CHECK(qctl::display_columns("e\u0301") == 1);
  CHECK(qctl::fitted("example", 7, true) == "example");
  CHECK(qctl::fitted("examples", 7, true) == "exampl\u2026");
  CHECK(qctl::fitted("examples", 7, false) == "exampl~");
  CHECK(qctl::fitted("\u65e5\u672c\u8a9e", 4, true) == "\u65e5\u2026");
  CHECK(qctl::fitted("abc", 0, true).empty());
  CHECK(qctl::padded("ab", 4, true) == "ab  ");
  CHECK(qctl::padded("\u65e5\u672c\u8a9e", 4, true) == "\u65e5\u2026 ");
}

TEST_CASE("qctl display: sizes and durations for people") {
  CHECK(qctl::human_octets(0) == "0");
  CHECK(qctl::human_octets(1023) == "1023");
  CHECK(qctl::human_octets(1024) == "1.0K");
  CHECK(qctl::human_octets(10 * 1024 - 1) == "10K");
  CHECK(qctl::human_octets(1023 * 1024 + 1000) == "1.0M");
  CHECK(qctl::human_octets(std::numeric_limits<std::uint64_t>::max()) == "16E");
  CHECK(qctl::human_duration(-5s) == "0s");
  CHECK(qctl::human_duration(59s) == "59s");
  CHECK(qctl::human_duration(60s) == "1m");
  CHECK(qctl::human_duration(2h + 5min) == "2h05m");
  CHECK(qctl::human_duration(76h) == "3d04h");
  CHECK(qctl::human_duration(24h * 100) == "100d");
}
