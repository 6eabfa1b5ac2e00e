#include "smtpd/virtual_hosts.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/net/dns_sections.h"
#include "lib/net/socket.h"
#include "smtpd/own_replies.h"

namespace smtpd {
namespace {

namespace text = base::text;

std::unexpected<base::Error> wrong(const base::Settings& settings, const std::string& name, std::string_view value, const std::string& expected) {
  return base::fail(base::Fault::Config, settings.place_of(name) + "bad value '" + text::printable(value) + "' for " + name + "; expected: " + expected);
}

base::Result<void> read_addresses(const base::Settings& settings, const VirtualHosts& others, VirtualHost& host) {
  const auto name = base::Settings::named("virtual", host.domain, "address");
  for (const auto& word : settings.words(name)) {
    const auto address = net::Address::from_ip(word, 0);
    if (!address) return wrong(settings, name, word, "an IP address of this machine, such as 192.0.2.1 or 2001:db8::1");
    if (const auto* other = others.at(address->ip()); other != nullptr) return wrong(settings, name, word, "an address that is not that of [virtual \"" + other->domain + "\"] too");
    host.addresses.push_back(address->ip());
  }
  return {};
}

base::Result<void> read_hostname(const base::Settings& settings, VirtualHost& host) {
  const auto name = base::Settings::named("virtual", host.domain, "hostname");
  const auto& value = settings.text(name);
  if (!value.empty() && !mail::check_domain(value)) return wrong(settings, name, value, "a name of this host, such as mail.example.org");
  host.hostname = text::to_lower(value);
  return {};
}

}  // namespace

base::Result<VirtualHosts> VirtualHosts::from(const base::Settings& settings, const SessionOptions& standard) {
  VirtualHosts hosts;
  for (const auto& domain : settings.names("virtual")) {
    VirtualHost host;
    host.domain = domain;
    if (const auto read = read_addresses(settings, hosts, host); !read) return std::unexpected(read.error());
    if (const auto read = read_hostname(settings, host); !read) return std::unexpected(read.error());
    host.relay_domains = mail::DomainList(settings.words(base::Settings::named("virtual", domain, "relay_domains")));
    if (net::dns::has_own(settings, domain)) host.dns = net::dns::settings_of_virtual(settings, domain);
    host.sessions = standard;
    const auto& greeting = settings.text(base::Settings::named("virtual", domain, "greeting"));
    for (auto& session : host.sessions) {
      if (!host.hostname.empty()) session.server_name = host.hostname;
      if (const auto set = set_replies(settings, session); !set) return std::unexpected(set.error());
      if (!greeting.empty()) {
        session.greeting = greeting;
        session.replies.greeting.clear();
      }
      session.prepare();
    }
    hosts.all.push_back(std::move(host));
  }
  return hosts;
}

const VirtualHost* VirtualHosts::at(std::string_view ip) const {
  const auto found = std::ranges::find_if(all, [ip](const VirtualHost& host) { return std::ranges::find(host.addresses, ip) != host.addresses.end(); });
  return found == all.end() ? nullptr : &*found;
}

const VirtualHost* VirtualHosts::named(const net::tls::Facts& tls) const {
  const auto is_it = [](const VirtualHost& host, std::string_view name) { return text::equal_ignoring_case(name, host.domain) || (!name.empty() && text::equal_ignoring_case(name, host.hostname)); };
  for (const auto* name : {&tls.virtual_domain, &tls.server_name}) {
    const auto found = std::ranges::find_if(all, [&](const VirtualHost& host) { return is_it(host, *name); });
    if (found != all.end()) return &*found;
  }
  return nullptr;
}

}  // namespace smtpd
