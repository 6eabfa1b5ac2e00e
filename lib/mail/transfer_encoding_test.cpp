#include "lib/mail/transfer_encoding.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "tests/testdata.h"

using namespace mail;

namespace {
// The suite gives octets as Latin-1 text.
std::string octets_of(const std::string& utf8) {
  std::string octets;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    octets += first < 0x80 ? utf8[i] : static_cast<char>((first & 3) << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3F));
  }
  return octets;
}

using Found = std::vector<std::pair<EncodingFault, std::size_t>>;
Found found(void (*check)(std::string_view, const EncodingReport&), std::string_view text) {
  Found all;
  check(text, [&](EncodingFault fault, std::size_t offset) {
    all.emplace_back(fault, offset);
    return true;
  });
  return all;
}
}  // namespace

TEST_CASE("transfer encoding: the decoders' suite") {
  const auto file = testdata::find("mime/transfer-encodings.json");
  if (file.empty()) return;
  const auto suite = nlohmann::json::parse(testdata::read(file));
  for (const auto& test : suite["cases"]) {
    const auto input = octets_of(test["input"].get<std::string>());
    CAPTURE(input);
    std::string decoded;
    decode(decoded, input, transfer_encoding_of(test["encoding"].get<std::string>()));
    if (!test["output"].is_null()) CHECK(decoded == octets_of(test["output"].get<std::string>()));
  }
}

TEST_CASE("transfer encoding: what is encoded decodes to itself") {
  std::mt19937 random(4711);
  for (std::size_t length = 0; length < 100; ++length) {
    std::string octets, encoded, decoded;
    for (std::size_t i = 0; i < length; ++i) octets += static_cast<char>(random());
    encode_base64(encoded, octets);
    CHECK(encoded.size() == (length + 2) / 3 * 4);
    decode_base64(decoded, encoded);
    CHECK(decoded == octets);
    if (encoded.size() <= 76) CHECK(found(check_base64, encoded).empty());
  }
}

TEST_CASE("transfer encoding: quoted-printable is checked by the rules of RFC 2045 section 6.7") {
  using enum EncodingFault;
  CHECK(found(check_quoted_printable, "a=3Db\tc=\r\nd=20\r\n").empty());
  CHECK(found(check_quoted_printable, "a=ZZ") == Found{{BadEscape, 1}});
  CHECK(found(check_quoted_printable, "ab=4") == Found{{BadEscape, 2}});
  CHECK(found(check_quoted_printable, "x\na=c3=c3") == Found{{LowerCaseEscape, 3}});
  CHECK(found(check_quoted_printable, "ab \t\r\nc") == Found{{TrailingBlank, 2}});
  CHECK(found(check_quoted_printable, "a\xff\xff") == Found{{Unencoded8bit, 1}});
  CHECK(found(check_quoted_printable, std::string_view("a\0", 2)) == Found{{Unencoded8bit, 1}});
  CHECK(found(check_quoted_printable, std::string(76, 'a')).empty());
  CHECK(found(check_quoted_printable, std::string(77, 'a')) == Found{{LineTooLong, 76}});
  CHECK(found(check_quoted_printable, "=zz\n=zz\n=zz").size() == 3);
  int calls = 0;
  check_quoted_printable("=zz\n=zz\n=zz", [&](EncodingFault, std::size_t) { return ++calls < 2; });
  CHECK(calls == 2);
}

TEST_CASE("transfer encoding: base64 is checked by RFC 2045 section 6.8") {
  using enum EncodingFault;
  for (const auto* good : {"", "Zm9v", "Zm9v\r\nYmFy\r\n", "Zg==", "Zm8=\n", "Zm\n9v"}) CHECK(found(check_base64, good).empty());
  CHECK(found(check_base64, "Zm9v!") == Found{{BadCharacter, 4}});
  CHECK(found(check_base64, "Zm-9_v") == Found{{BadCharacter, 2}});
  CHECK(found(check_base64, "Zm9vZg") == Found{{Truncated, 5}});
  CHECK(found(check_base64, "Z") == Found{{Truncated, 0}});
  CHECK(found(check_base64, "=") == Found{{BadPadding, 0}});
  CHECK(found(check_base64, "Zm9v=") == Found{{BadPadding, 4}});
  CHECK(found(check_base64, "Zm8==") == Found{{BadPadding, 4}});
  CHECK(found(check_base64, "Z=") == Found{{BadPadding, 1}, {Truncated, 0}});
  CHECK(found(check_base64, "Zg=") == Found{{Truncated, 1}});
  CHECK(found(check_base64, "Zg==\nZm9v") == Found{{BadPadding, 5}});
  CHECK(found(check_base64, std::string(76, 'a')).empty());
  CHECK(found(check_base64, std::string(80, 'a')) == Found{{LineTooLong, 76}});
}

TEST_CASE("transfer encoding: quoted-printable is written in short lines, and read back") {
  const auto encoded = [](std::string_view text, std::string_view line_end = "\r\n") {
    std::string out;
    mail::encode_quoted_printable(out, text, line_end);
    return out;
  };
  CHECK(encoded("a=b\tc \r\nd\t\n") == "a=3Db\tc=20\r\nd=09\r\n");
  CHECK(encoded("\xC3\xA4\rx", "\n") == "=C3=A4=0Dx");
  CHECK(encoded(std::string(76, 'a')) == std::string(76, 'a'));
  CHECK(encoded(std::string(77, 'a')) == std::string(75, 'a') + "=\r\naa");
  for (std::size_t length = 70; length < 160; ++length) {
    const std::string text = std::string(length, 'x') + "\xC3\xA4 " + std::string(length, '=');
    std::string back;
    mail::decode_quoted_printable(back, encoded(text));
    CHECK(back == text);
    mail::check_quoted_printable(encoded(text), [](mail::EncodingFault, std::size_t) {
      FAIL("not what RFC 2045 section 6.7 asks");
      return true;
    });
  }
}

TEST_CASE("transfer encoding: base64 in lines of 76 characters") {
  std::string out;
  mail::encode_base64_lines(out, std::string(58, 'a'), "\r\n");
  CHECK(out.find("\r\n") == 76);
  CHECK(out.size() == 76 + 2 + 4);
  std::string back;
  mail::decode_base64(back, out);
  CHECK(back == std::string(58, 'a'));
  out.clear();
  mail::encode_base64_lines(out, "", "\n");
  CHECK(out.empty());
}
