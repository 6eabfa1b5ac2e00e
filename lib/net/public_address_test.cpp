#include "lib/net/public_address.h"

#include <doctest/doctest.h>

TEST_CASE("net: which addresses may be of the Internet") {
  const auto is_public = [](const char* ip) { return net::is_public(*net::Address::from_ip(ip, 443)); };
  for (const auto* ip : {"9.255.255.255", "11.0.0.1", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1", "2001:4860::1", "64:ff9b::1.2.3.4"}) {
    CAPTURE(ip);
    CHECK(is_public(ip));
  }
  for (const auto* ip : {"0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "224.0.0.1", "255.255.255.255", "::", "::1",
                         "::ffff:127.0.0.1", "fd00::1", "fe80::1", "ff02::1"}) {
    CAPTURE(ip);
    CHECK_FALSE(is_public(ip));
  }
  CHECK_FALSE(net::is_public({}));
}
