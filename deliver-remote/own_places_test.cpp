#include "deliver-remote/own_places.h"

#include <doctest/doctest.h>

using remote::OwnPlaces;

namespace {
bool is_own(const OwnPlaces& own, const char* address) { return own.contains(*net::Address::parse(address)); }
}  // namespace

TEST_CASE("own places: addresses with their ports, all of the machine, a port of loopback, those behind which it stands") {
  const auto own = OwnPlaces::make({"192.0.2.1:25", "[2001:db8::1]:2525", "0.0.0.0:26", "2000", "unix:/run/smtp"}, {"198.51.100.7"}, {"192.0.2.1", "192.0.2.2", "2001:db8::1"});
  REQUIRE(own);
  CHECK(is_own(*own, "192.0.2.1:25"));
  CHECK_FALSE(is_own(*own, "192.0.2.1:2525"));
  CHECK_FALSE(is_own(*own, "192.0.2.2:25"));
  CHECK(is_own(*own, "[2001:db8::1]:2525"));
  CHECK(is_own(*own, "192.0.2.2:26"));
  CHECK(is_own(*own, "127.0.0.5:26"));
  CHECK_FALSE(is_own(*own, "[2001:db8::1]:26"));
  CHECK_FALSE(is_own(*own, "192.0.2.3:26"));
  CHECK(is_own(*own, "127.0.0.1:2000"));
  CHECK(is_own(*own, "[::1]:2000"));
  CHECK_FALSE(is_own(*own, "192.0.2.1:2000"));
  CHECK(is_own(*own, "198.51.100.7:25"));
  CHECK(is_own(*own, "198.51.100.7:465"));
  CHECK_FALSE(is_own(*own, "unix:/run/smtp"));
  CHECK_FALSE(is_own(OwnPlaces(), "127.0.0.1:25"));
}

TEST_CASE("own places: what is no address is an error that names it") {
  CHECK(OwnPlaces::make({"mx.example:25"}, {}, {}).error().cause.contains("smtp.listen 'mx.example:25'"));
  CHECK(OwnPlaces::make({}, {"me"}, {}).error().cause.contains("remote.own_addresses 'me'"));
}
