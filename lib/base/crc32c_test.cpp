#include "lib/base/crc32c.h"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("crc32c: RFC 3720 appendix B.4") {
  std::string ascending, descending;
  for (int i = 0; i < 32; ++i) {
    ascending += static_cast<char>(i);
    descending += static_cast<char>(31 - i);
  }
  for (const auto& crc : {base::crc32c, base::crc32c_portable}) {
    CHECK(crc(std::string(32, '\0'), 0) == 0x8A9136AA);
    CHECK(crc(std::string(32, '\xFF'), 0) == 0x62A8AB43);
    CHECK(crc(ascending, 0) == 0x46DD794E);
    CHECK(crc(descending, 0) == 0x113FDB5C);
    CHECK(crc("123456789", 0) == 0xE3069283);
    CHECK(crc("", 0) == 0);
  }
}

TEST_CASE("crc32c: in pieces as in one") {
  std::string octets;
  for (int i = 0; i < 1000; ++i) octets += static_cast<char>(i * 7);
  const std::string_view all = octets;
  for (std::size_t cut = 0; cut <= 40; ++cut) {
    CHECK(base::crc32c(all.substr(cut), base::crc32c(all.substr(0, cut))) == base::crc32c_portable(all));
    CHECK(base::crc32c_portable(all.substr(cut), base::crc32c_portable(all.substr(0, cut))) == base::crc32c(all));
  }
}
