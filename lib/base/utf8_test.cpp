#include "lib/base/utf8.h"

#include <doctest/doctest.h>

using namespace base;

TEST_CASE("utf8: sequences are those of RFC 3629") {
  for (const auto* good : {"a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(utf8::sequence_octets(good) == std::string_view(good).size());
    CHECK(utf8::is_valid(good));
  }
  // Lone tail, overlong, surrogate, above U+10FFFF, cut.
  for (const auto* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xf0\x9f\x98"}) {
    CHECK(utf8::sequence_octets(bad) == 0);
    CHECK_FALSE(utf8::is_valid(bad));
  }
  CHECK(utf8::sequence_octets("") == 0);
  CHECK(utf8::is_valid(""));
}

TEST_CASE("utf8: an octet over 127 is found at every place") {
  for (std::size_t length = 1; length < 20; ++length) {
    std::string text(length, 'a');
    CHECK_FALSE(utf8::has_8bit(text));
    for (std::size_t i = 0; i < length; ++i) {
      text[i] = '\x80';
      CHECK(utf8::has_8bit(text));
      text[i] = 'a';
    }
  }
}

TEST_CASE("utf8: a code point is written as its sequence") {
  const auto written = [](char32_t code_point) {
    std::string text;
    utf8::append(text, code_point);
    return text;
  };
  CHECK(written(U'a') == "a");
  CHECK(written(0x7FF) == "\xdf\xbf");
  CHECK(written(0x20AC) == "\xe2\x82\xac");
  CHECK(written(0x1F600) == "\xf0\x9f\x98\x80");
  CHECK(written(0xD800) == "\xef\xbf\xbd");
  CHECK(written(0x110000) == "\xef\xbf\xbd");
}
