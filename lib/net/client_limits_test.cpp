#include "lib/net/client_limits.h"

#include <doctest/doctest.h>

using net::ClientLimits;
using net::Address;

namespace {
std::string client(std::string_view address, unsigned ipv6_bits = 64) {
  return ClientLimits({0, 0, ipv6_bits}).client_of(Address::parse(address).value());
}
}  // namespace

TEST_CASE("a client is an IPv4 address or an IPv6 network, whatever the port") {
  CHECK(client("192.0.2.1:25") == client("192.0.2.1:26"));
  CHECK(client("192.0.2.1:25") != client("192.0.2.2:25"));
  CHECK(client("192.0.2.1:25") == client("[::ffff:192.0.2.1]:25"));
  CHECK(client("[2001:db8:1:2::1]:25") == client("[2001:db8:1:2:ffff::9]:25"));
  CHECK(client("[2001:db8:1:2::1]:25") != client("[2001:db8:1:3::1]:25"));
  CHECK(client("[2001:db8:1:2::1]:25", 128) != client("[2001:db8:1:2::2]:25", 128));
  CHECK(client("[2001:db8:1:2::1]:25", 63) == client("[2001:db8:1:3::1]:25", 63));
  CHECK(client("[2001:db8:1:2::1]:25", 63) != client("[2001:db8:1:4::1]:25", 63));
  CHECK(client("[2001:db8::1]:25", 0) == client("[fe80::1]:25", 0));
  CHECK(client("unix:/x") == "");
}

TEST_CASE("limits hold at their edge, and end when connections end") {
  ClientLimits limits({3, 2, 64});
  CHECK_FALSE(limits.is_full());
  limits.add("a");
  CHECK_FALSE(limits.is_full_for("a"));
  limits.add("a");
  CHECK(limits.is_full_for("a"));
  CHECK_FALSE(limits.is_full_for("b"));
  CHECK_FALSE(limits.is_full());
  limits.add("b");
  CHECK(limits.is_full());
  limits.remove("a");
  CHECK_FALSE(limits.is_full());
  CHECK_FALSE(limits.is_full_for("a"));
  limits.remove("a");
  limits.remove("b");
  CHECK(limits.count() == 0);
  CHECK_FALSE(limits.is_full_for("a"));
}

TEST_CASE("a limit of 0 is none") {
  ClientLimits limits({0, 0, 64});
  for (int i = 0; i < 1000; ++i) limits.add("a");
  CHECK_FALSE(limits.is_full());
  CHECK_FALSE(limits.is_full_for("a"));
}
