#include "lib/net/dns_sections.h"

#include <string>

#include "lib/base/settings_testing.h"

namespace dns = net::dns;
using base::testing::settings_of;

TEST_CASE("dns: a virtual domain has the settings of [dns] where it says nothing else") {
  const auto settings = settings_of(
      "[dns]\nserver = 192.0.2.1\nstub = x.example=192.0.2.9\ntrust_anchor = root.key\ntimeout = 7s\n"
      "[virtual \"plain.example\"]\nhostname = mx.plain.example\n"
      "[virtual \"own.example\"]\ndns_server = 192.0.2.2@5353 192.0.2.3\ndns_trust_anchor = none\n"
      "[virtual \"fast.example\"]\ndns_timeout = 500ms\ndns_stub = y.example=192.0.2.8\n");
  CHECK_FALSE(dns::has_own(settings, "plain.example"));
  CHECK(dns::has_own(settings, "own.example"));
  const auto own = dns::settings_of_virtual(settings, "own.example"), fast = dns::settings_of_virtual(settings, "fast.example");
  CHECK(own.servers == std::vector<std::string>{"192.0.2.2@5353", "192.0.2.3"});
  CHECK(own.stubs == std::vector<std::string>{"x.example=192.0.2.9"});
  CHECK(own.trust_anchor.empty());
  CHECK(own.timeout_milliseconds == 7000);
  CHECK(fast.servers == std::vector<std::string>{"192.0.2.1"});
  CHECK(fast.stubs == std::vector<std::string>{"y.example=192.0.2.8"});
  CHECK(fast.trust_anchor == "root.key");
  CHECK(fast.timeout_milliseconds == 500);
}

TEST_CASE("dns: a session is a virtual domain's by the name it asked for, that it was greeted with, or the address it reached") {
  const auto settings = settings_of(
      "[virtual \"one.example\"]\naddress = 192.0.2.1\nhostname = mx.one.example\ndns_timeout = 1s\n"
      "[virtual \"two.example\"]\naddress = 2001:db8:0::2\ndns_timeout = 2s\n"
      "[virtual \"plain.example\"]\naddress = 192.0.2.3\n");
  CHECK(dns::section_of(settings, {"mx.example", "", "192.0.2.1"}) == "one.example");
  CHECK(dns::section_of(settings, {"mx.example", "", "2001:db8::2"}) == "two.example");
  CHECK(dns::section_of(settings, {"MX.one.example", "", "192.0.2.9"}) == "one.example");
  CHECK(dns::section_of(settings, {"mx.one.example", "Two.example", "192.0.2.1"}) == "two.example");
  CHECK(dns::section_of(settings, {"mx.one.example", "plain.example", "192.0.2.1"}).empty());
  CHECK(dns::section_of(settings, {"mx.example", "", "192.0.2.3"}).empty());
  CHECK(dns::section_of(settings, {"mx.example", "", ""}).empty());
}
