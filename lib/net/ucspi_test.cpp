#include "lib/net/ucspi.h"

#include <doctest/doctest.h>

using net::Address;
using Words = std::vector<std::string>;

TEST_CASE("a session's environment names both ends as tcpserver does") {
  const auto remote = Address::parse("192.0.2.1:4711").value(), local = Address::parse("198.51.100.2:25").value();
  CHECK(net::ucspi_environment(remote, local, "") ==
        Words{"PROTO=TCP", "TCPREMOTEIP=192.0.2.1", "TCPREMOTEPORT=4711", "TCPLOCALIP=198.51.100.2", "TCPLOCALPORT=25"});
  CHECK(net::ucspi_environment(remote, local, "mx.example.org").back() == "TCPLOCALHOST=mx.example.org");
  const auto remote6 = Address::parse("[2001:db8::1]:4711").value(), local6 = Address::parse("[::1]:25").value();
  CHECK(net::ucspi_environment(remote6, local6, "") ==
        Words{"PROTO=TCP6", "TCPREMOTEIP=2001:db8::1", "TCPREMOTEPORT=4711", "TCPLOCALIP=::1", "TCPLOCALPORT=25"});
}

TEST_CASE("an IPv4 client of an IPv6 socket is an IPv4 client") {
  const auto mapped = Address::parse("[::ffff:192.0.2.1]:4711").value();
  const auto environment = net::ucspi_environment(mapped, mapped, "");
  CHECK(environment[0] == "PROTO=TCP");
  CHECK(environment[1] == "TCPREMOTEIP=192.0.2.1");
}

TEST_CASE("a Unix socket has no addresses to name") {
  CHECK(net::ucspi_environment(Address::parse("unix:/a").value(), Address::parse("unix:/b").value(), "h") == Words{"PROTO=UNIX"});
}
