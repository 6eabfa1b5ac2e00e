#include "lib/mail/encoded_word.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "tests/testdata.h"

using namespace mail;

TEST_CASE("encoded word: the suite with the examples of RFC 2047 and RFC 2231") {
  const auto file = testdata::find("mime/encoded-words.json");
  if (file.empty()) return;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  for (const auto& test : suite["cases"]) {
    const auto input = test["input"].get<std::string>();
    CAPTURE(input);
    const nlohmann::json decoded = decode_unstructured(input);
    const auto& expected = test["decoded"];
    if (expected.is_null()) continue;
    CHECK((expected.is_array() ? std::ranges::find(expected, decoded) != expected.end() : decoded == expected));
  }
}

TEST_CASE("encoded word: nothing that is decoded makes a new line or ends the text") {
  CHECK(decode_unstructured("=?utf-8?q?a=0D=0ABcc:_x@example.com?=") == "a  Bcc: x@example.com");
  CHECK(decode_unstructured("=?utf-8?b?YQ0KYgBj?=") == "a  b c");
  CHECK(decode_unstructured(" a\r\n b\r\n") == "a b");
  CHECK(decode_unstructured("raw \xff octet") == "raw \xef\xbf\xbd octet");
}

TEST_CASE("encoded word: unstructured values of mail-parser") {
  const auto file = testdata::find("mime/mail-parser/headers/unstructured.json");
  if (file.empty()) return;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  int compared = 0;
  for (const auto& test : suite) {
    // Its texts go on into a next field; the value ends at a line end without a blank behind it.
    std::string header = test["header"];
    for (auto at = header.find('\n'); at != std::string::npos; at = header.find('\n', at + 1)) {
      if (at + 1 < header.size() && base::text::is_space(header[at + 1])) continue;
      header.resize(at);
      break;
    }
    CAPTURE(header);
    if (!test["expected"].is_string()) continue;
    // It makes one blank of folding, and one where text meets an encoded word.
    const auto without_blanks = [](std::string text) {
      std::erase_if(text, base::text::is_space);
      return text;
    };
    CHECK(without_blanks(decode_unstructured(header)) == without_blanks(test["expected"].get<std::string>()));
    ++compared;
  }
  CHECK(compared >= 25);
}

TEST_CASE("encoded word: faults") {
  const auto fault_of = [](std::string_view text) {
    const auto word = parse_encoded_word(text);
    REQUIRE(word);
    return check(*word);
  };
  using enum EncodedWordFault;
  CHECK(fault_of("=?utf-8?q?a=C3=A9?=") == None);
  CHECK(fault_of("=?utf-8?q?a b?=") == Blank);
  CHECK(fault_of("=?utf-8?q?a=Z?=") == BadEscape);
  CHECK(fault_of("=?utf-8?q?a=?=") == BadEscape);
  CHECK(fault_of("=?utf-8?b?Zg?=") == BadBase64);
  CHECK(fault_of("=?utf-8?b?Z*?=") == BadBase64);
  CHECK(fault_of("=?utf-8?b?Zg==?=") == None);
  CHECK(fault_of("=?utf-8?q?=C3?=") == NotUtf8);
  CHECK(fault_of("=?iso-8859-1?q?=C3?=") == None);
  CHECK(fault_of("=?utf-8?q?" + std::string(63, 'a') + "?=") == None);
  CHECK(fault_of("=?utf-8?q?" + std::string(64, 'a') + "?=") == TooLong);
  for (const auto* none : {"", "=", "=?", "=??q?a?=", "=?utf-8?q?a", "=?utf-8?q?a?", "=?utf-8?x?a?=", "=?utf 8?q?a?=", "=?utf-8?qq?a?=", "=?utf-8?q?a\n?=", "=?utf-8?q"})
    CHECK_FALSE(parse_encoded_word(none));
}

TEST_CASE("encoded word: text is written in words of 75 octets and comes back") {
  CHECK(encode_words("plain text") == "plain text");
  CHECK(encode_words("Zo\xc3\xab") == "=?utf-8?B?Wm/Dqw==?=");
  CHECK(encode_words("=?looks like one") != "=?looks like one");
  std::string text;
  for (int i = 0; i < 200; ++i) {
    base::utf8::append(text, i % 3 == 0 ? U'\U0001F600' : i % 3 == 1 ? U'\u00eb' : U'x');
    const auto encoded = encode_words(text);
    CHECK(decode_unstructured(encoded) == text);
    for (const auto line : base::text::split(encoded, '\n')) {
      const auto word = parse_encoded_word(base::text::trim(line));
      REQUIRE(word);
      CHECK(check(*word) == EncodedWordFault::None);
    }
  }
}

TEST_CASE("charset: by name, in any case, and unknown ones are said to be") {
  CHECK(to_utf8("\xe9", "Latin1") == "\xc3\xa9");
  CHECK(to_utf8("\xe9", "us-ascii") == "\xef\xbf\xbd");
  CHECK(to_utf8("\xa4", "ISO-8859-15") == "\xe2\x82\xac");
  CHECK(to_utf8("\x93\xfa\x96\x7b", "Shift_JIS") == "\xe6\x97\xa5\xe6\x9c\xac");
  CHECK(to_utf8("a\x93", "Shift_JIS") == "a\xef\xbf\xbd");  // cut
  CHECK(to_utf8(std::string(5000, '\xe9'), "windows-1252")->size() == 10000);
  CHECK_FALSE(to_utf8("a", "no-such"));
  CHECK_FALSE(to_utf8("a", "utf-16//TRANSLIT"));
  CHECK_FALSE(to_utf8("a", ""));
}

TEST_CASE("charset: UTF-8 in another charset, whole or not at all") {
  CHECK(from_utf8("a\xc3\xa9\xc3\xbf", "ISO-8859-1") == "a\xe9\xff");
  CHECK_FALSE(from_utf8("\xe2\x82\xac", "iso-8859-1"));
  CHECK_FALSE(from_utf8("\xc4\x80", "latin1"));
  CHECK_FALSE(from_utf8("\xff", "iso-8859-1"));
  CHECK(from_utf8("\xe2\x82\xac", "iso-8859-15") == "\xa4");
  CHECK_FALSE(from_utf8("\xe6\x97\xa5", "iso-8859-15"));
  CHECK(from_utf8("\xe6\x97\xa5x", "iso-2022-jp") == "\x1b$BF|\x1b(Bx");
  CHECK(from_utf8("x", "us-ascii") == "x");
  CHECK_FALSE(from_utf8("\xc3\xa9", "us-ascii"));
  CHECK_FALSE(from_utf8("\xc3", "utf-8"));
  CHECK_FALSE(from_utf8("x", "no-such-charset"));
  CHECK_FALSE(from_utf8("x", "utf-16//TRANSLIT"));
}
