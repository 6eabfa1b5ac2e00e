#include "lib/base/base64.h"

#include <doctest/doctest.h>

TEST_CASE("base64: the examples of RFC 4648 section 10, there and back") {
  const std::pair<const char*, const char*> rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [octets, text] : rows) {
    CHECK(base::to_base64(octets) == text);
    CHECK(base::from_base64(text) == octets);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(base::from_base64(base::to_base64(all)) == all);
}

TEST_CASE("base64: nothing but the one way to write it") {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zm9v=", "Z===", "Zh==", "Zm9=", " Zm9v", "Zm9v\n", "Zm 9v", "Zm9_", "Zm9-", "Zg==Zg==", "Zm=v", "*"})
    CHECK_MESSAGE(!base::from_base64(text), text);
  CHECK_FALSE(base::from_base64(std::string_view("Zm9\0", 4)));
}
