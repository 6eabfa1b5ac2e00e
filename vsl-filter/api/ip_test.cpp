#include "vsl-filter/api/ip.h"

#include <doctest/doctest.h>

using rules::Ip;
using rules::IpRange;

TEST_CASE("ip: texts and their canonical form") {
  struct Row { const char* text; const char* canonical; };
  constexpr Row kRows[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"2001:DB8:0::1", "2001:db8::1"},
      {"::", "::"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"300.1.1.1", nullptr},
      {"1.2.3", nullptr},
      {"01.2.3.4", nullptr},
      {"1.2.3.4 ", nullptr},
      {"::g", nullptr},
      {"", nullptr},
      {"2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000:0000", nullptr},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    const auto ip = Ip::parse(row.text);
    CHECK(ip.has_value() == (row.canonical != nullptr));
    if (ip && row.canonical != nullptr) CHECK(ip->text() == row.canonical);
  }
  CHECK_FALSE(Ip::parse(std::string_view("1.2.3.4\0", 8)));
}

TEST_CASE("ip: ranges, their texts and their edges") {
  struct Row { const char* text; const char* canonical; const char* inside; const char* outside; };
  constexpr Row kRows[] = {
      {"192.0.2.0/24", "192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
      {"192.0.2.77/24", "192.0.2.0/24", "192.0.2.0", "192.0.1.255"},
      {"0.0.0.0/0", "0.0.0.0/0", "255.255.255.255", "::1"},
      {"10.0.0.1/32", "10.0.0.1/32", "10.0.0.1", "10.0.0.2"},
      {"10.0.0.1", "10.0.0.1/32", "10.0.0.1", "10.0.0.0"},
      {"10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9", "10.0.0.9", "10.0.0.10"},
      {"10.0.0.0-10.0.0.255", "10.0.0.0/24", "10.0.0.0", "10.0.1.0"},
      {"2001:db8::/32", "2001:db8::/32", "2001:db8:ffff::", "2001:db9::"},
      {"2001:db8::/65", "2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff", "2001:db8::8000:0:0:0"},
      {"::/0", "::/0", "ffff::", "1.2.3.4"},
      {"2001:db8::1-2001:db8::2", "2001:db8::1-2001:db8::2", "2001:db8::2", "2001:db8::3"},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.text);
    const auto range = IpRange::parse(row.text);
    REQUIRE(range);
    CHECK(range->text() == row.canonical);
    CHECK(range->contains(*Ip::parse(row.inside)));
    CHECK_FALSE(range->contains(*Ip::parse(row.outside)));
  }
  for (const char* bad : {"192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129", "x/8", "1.2.3.9-1.2.3.1", "1.2.3.4-::1", "1.2.3.4/24/8", ""})
    CHECK_FALSE(IpRange::parse(bad));
  CHECK(IpRange::parse("10.0.0.0/8")->contains(*IpRange::parse("10.1.0.0/16")));
  CHECK_FALSE(IpRange::parse("10.1.0.0/16")->contains(*IpRange::parse("10.0.0.0/8")));
}

TEST_CASE("ip: many ranges, overlapping, nested and touching") {
  rules::IpRanges ranges;
  for (const char* text : {"10.0.0.0/24", "10.0.1.0/24", "10.0.0.7/32", "192.0.2.0/25", "0.0.0.0-0.0.0.5", "255.255.255.255", "::/128", "2001:db8::/32",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "10.0.0.0/30"})
    ranges.add(*IpRange::parse(text));
  ranges.finish();
  for (const char* in : {"10.0.0.0", "10.0.0.200", "10.0.1.255", "192.0.2.127", "0.0.0.5", "255.255.255.255", "::", "2001:db8:1::",
                         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    CHECK(ranges.contains(*Ip::parse(in)));
  for (const char* out : {"10.0.2.0", "9.255.255.255", "192.0.2.128", "0.0.0.6", "255.255.255.254", "::1", "2001:db9::", "::a00:1"})
    CHECK_FALSE(ranges.contains(*Ip::parse(out)));
}
