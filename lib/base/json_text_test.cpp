#include "lib/base/json_text.h"

#include <doctest/doctest.h>

namespace {
std::string quoted(std::string_view text) {
  std::string out;
  base::json::append_string(out, text);
  return out;
}
}  // namespace

TEST_CASE("strings are escaped as RFC 8259 section 7 asks") {
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted("a\"b\\c\r\n\t\x01\x7f") == R"("a\"b\\c\r\n\t\u0001\u007f")");
  CHECK(quoted(std::string_view("\0", 1)) == R"("\u0000")");
}

TEST_CASE("UTF-8 passes, what is not UTF-8 becomes U+FFFD") {
  CHECK(quoted("b\xC3\xBC" "cher \xE2\x82\xAC \xF0\x9F\x93\xA8") == "\"b\xC3\xBC" "cher \xE2\x82\xAC \xF0\x9F\x93\xA8\"");
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(quoted("\xff") == "\"" + bad + "\"");
  CHECK(quoted("\xC3") == "\"" + bad + "\"");              // cut
  CHECK(quoted("\xC0\xAF") == "\"" + bad + bad + "\"");    // overlong
  CHECK(quoted("\xED\xA0\x80") == "\"" + bad + bad + bad + "\"");  // surrogate
}

TEST_CASE("members get commas where they belong") {
  std::string out = "{";
  base::json::append_member(out, "a", "x");
  base::json::append_member(out, "b", 7LL);
  CHECK(out + "}" == R"({"a":"x","b":7})");
}
