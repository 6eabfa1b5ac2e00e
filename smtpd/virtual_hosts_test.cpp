#include "smtpd/virtual_hosts.h"

#include <unistd.h>

#include <initializer_list>
#include <string>

#include "lib/base/settings_testing.h"
#include "smtpd/configuration.h"

using base::testing::settings_of;
using smtpd::Service;
using smtpd::VirtualHosts;

namespace {

VirtualHosts hosts_of(const std::string& text) {
  smtpd::SessionOptions standard;
  for (auto& session : standard) session.server_name = "mx.example.org";
  auto hosts = VirtualHosts::from(settings_of(text), standard);
  REQUIRE(hosts.has_value());
  return std::move(*hosts);
}

std::string error_of(const std::string& text) {
  const auto hosts = VirtualHosts::from(settings_of(text), {});
  return hosts ? "" : hosts.error().cause;
}

net::tls::Facts asks_for(const char* name, const char* virtual_domain = "") {
  net::tls::Facts tls;
  tls.server_name = name;
  tls.virtual_domain = virtual_domain;
  return tls;
}

constexpr auto kFile = R"([virtual "example.net"]
address = 192.0.2.2 2001:DB8::2
hostname = Mail.example.net
greeting = at your service
relay_domains = .customer.example
[virtual "example.com"]
greeting = hello
[virtual "empty.example"]
)";

}  // namespace

TEST_CASE("virtual hosts: by address and by name, with what is theirs") {
  const auto hosts = hosts_of(kFile);
  REQUIRE(hosts.all.size() == 3);
  const auto* net_host = hosts.at("192.0.2.2");
  REQUIRE(net_host != nullptr);
  CHECK(net_host->domain == "example.net");
  CHECK(hosts.at("2001:db8::2") == net_host);
  CHECK(hosts.at("192.0.2.3") == nullptr);
  CHECK(hosts.at("") == nullptr);
  CHECK(net_host->sessions[index(Service::Smtp)].greeting_reply == "220 mail.example.net at your service\r\n");
  CHECK(net_host->sessions[index(Service::Submissions)].helo_reply == "250 mail.example.net\r\n");
  CHECK(net_host->relay_domains.contains("a.customer.example"));
  CHECK_FALSE(net_host->relay_domains.contains("example.net"));

  CHECK(hosts.named(asks_for("EXAMPLE.net")) == net_host);
  CHECK(hosts.named(asks_for("mail.Example.net")) == net_host);
  CHECK(hosts.named(asks_for("imap.example.net", "example.net")) == net_host);
  CHECK(hosts.named(asks_for("imap.example.net")) == nullptr);
  CHECK(hosts.named(asks_for("")) == nullptr);
  const auto* com = hosts.named(asks_for("example.com"));
  REQUIRE(com != nullptr);
  CHECK(com->sessions[0].greeting_reply == "220 mx.example.org hello\r\n");
  CHECK(hosts.named(asks_for("empty.example"))->sessions[0].greeting_reply == "220 mx.example.org Service ready\r\n");
}

TEST_CASE("virtual hosts: mistakes are told with file, line, value and what was expected") {
  const auto has = [](const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; };
  auto error = error_of("[virtual \"a.example\"]\n\naddress = 192.0.2.1:25\n");
  CHECK_MESSAGE(has(error, ":3: bad value '192.0.2.1:25' for virtual \"a.example\".address; expected: an IP address"), error);
  error = error_of("[virtual \"a.example\"]\naddress = 192.0.2.1\n[virtual \"b.example\"]\naddress = 192.0.2.1\n");
  CHECK_MESSAGE(has(error, ":4: bad value '192.0.2.1' for virtual \"b.example\".address; expected: an address that is not that of [virtual \"a.example\"] too"), error);
  error = error_of("[virtual \"a.example\"]\nhostname = two words\n");
  CHECK_MESSAGE(has(error, ":2: bad value 'two words' for virtual \"a.example\".hostname; expected: a name of this host"), error);
}
