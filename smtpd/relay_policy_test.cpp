#include "smtpd/relay_policy.h"

#include <doctest/doctest.h>

namespace {

smtpd::RelayPolicy policy_of(std::initializer_list<std::pair<const char*, const char*>> given) {
  base::Settings settings;
  for (const auto& [name, value] : given) REQUIRE(settings.set(*base::find_setting(name), value).has_value());
  auto policy = smtpd::RelayPolicy::from(settings);
  REQUIRE(policy.has_value());
  return *policy;
}
net::Address client(const char* ip) { return *net::Address::from_ip(ip, 40000); }

}  // namespace

TEST_CASE("without configuration only loopback may send, and nothing but Postmaster is taken from others") {
  const auto policy = policy_of({});
  CHECK(policy.is_relay_client(client("127.0.0.1")));
  CHECK(policy.is_relay_client(client("127.255.0.9")));
  CHECK(policy.is_relay_client(client("::1")));
  CHECK_FALSE(policy.is_relay_client(client("10.0.0.1")));
  CHECK_FALSE(policy.is_relay_client(client("2001:db8::1")));
  CHECK_FALSE(policy.is_relay_client(net::Address()));
  CHECK(policy.takes("a@example.org", true));
  CHECK_FALSE(policy.takes("a@example.org", false));
  CHECK(policy.takes("postmaster", false));
}

TEST_CASE("configured domains are taken from everyone, others from relay clients only") {
  const auto policy = policy_of({{"delivery.local_domains", "example.org"}, {"smtp.relay_domains", ".example.net"}, {"smtp.relay_clients", "192.0.2.0/24"}});
  CHECK(policy.takes("a@EXAMPLE.org", false));
  CHECK(policy.takes("\"a@b\"@sub.example.net", false));
  CHECK_FALSE(policy.takes("a@example.net", false));
  CHECK_FALSE(policy.takes("\"a@example.org\"@example.com", false));
  CHECK_FALSE(policy.takes("a%example.org@example.com", false));
  CHECK_FALSE(policy.takes("a@[192.0.2.1]", false));
  CHECK(policy.is_relay_client(client("192.0.2.7")));
  CHECK_FALSE(policy.is_relay_client(client("127.0.0.1")));
}

TEST_CASE("a bad network is a configuration error that names it") {
  base::Settings settings;
  REQUIRE(settings.set(*base::find_setting("smtp.relay_clients"), "192.0.2.0/33").has_value());
  const auto policy = smtpd::RelayPolicy::from(settings);
  REQUIRE_FALSE(policy.has_value());
  CHECK(policy.error().fault == base::Fault::Config);
  CHECK(policy.error().cause.find("192.0.2.0/33") != std::string::npos);
}

TEST_CASE("domains of a [virtual] section are taken from everyone if it has no address, else from its own clients") {
  base::Settings settings;
  const auto set = [&](const char* domain, const char* key, const char* value) {
    const std::string section = std::string("virtual \"") + domain + "\"";
    REQUIRE(settings.set(*base::find_setting(section + "." + key), value, section).has_value());
  };
  set("a.example", "relay_domains", "one.example two.example");
  set("b.example", "relay_domains", "three.example");
  set("b.example", "address", "192.0.2.2");
  const auto policy = smtpd::RelayPolicy::from(settings);
  REQUIRE(policy.has_value());
  CHECK(policy->takes("a@two.example", false));
  CHECK_FALSE(policy->takes("a@three.example", false));
  CHECK_FALSE(policy->takes("a@a.example", false));
}
