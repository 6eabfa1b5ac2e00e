#include "lib/net/dns_sections.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/net/socket.h"

namespace net::dns {
namespace {

constexpr std::string_view kNobody = "none";

std::string key(const std::string& domain, const char* name) { return base::Settings::named("virtual", domain, name); }

bool has_address(const base::Settings& settings, const std::string& domain, std::string_view ip) {
  const auto words = settings.words(key(domain, "address"));
  return std::ranges::any_of(words, [ip](const std::string& word) {
    const auto address = Address::from_ip(word, 0);
    return address && address->ip() == ip;
  });
}

}  // namespace

bool has_own(const base::Settings& settings, const std::string& domain) {
  return !settings.words(key(domain, "dns_server")).empty() || !settings.words(key(domain, "dns_stub")).empty() ||
         !settings.text(key(domain, "dns_trust_anchor")).empty() || settings.milliseconds(key(domain, "dns_timeout")) > 0;
}

Settings settings_of_virtual(const base::Settings& settings, const std::string& domain) {
  Settings dns = settings_of(settings);
  if (auto servers = settings.words(key(domain, "dns_server")); !servers.empty()) dns.servers = std::move(servers);
  if (auto stubs = settings.words(key(domain, "dns_stub")); !stubs.empty()) dns.stubs = std::move(stubs);
  if (const auto& anchor = settings.text(key(domain, "dns_trust_anchor")); !anchor.empty()) dns.trust_anchor = anchor == kNobody ? std::string() : anchor;
  if (const auto timeout = settings.milliseconds(key(domain, "dns_timeout")); timeout > 0) dns.timeout_milliseconds = timeout;
  return dns;
}

std::string section_of(const base::Settings& settings, const Reached& reached) {
  const auto domains = settings.names("virtual");
  for (const auto name : {reached.asked_name, reached.server_name}) {
    if (name.empty()) continue;
    const auto is_it = [&](const std::string& domain) {
      return base::text::equal_ignoring_case(name, domain) || base::text::equal_ignoring_case(name, settings.text(key(domain, "hostname")));
    };
    if (const auto found = std::ranges::find_if(domains, is_it); found != domains.end()) return has_own(settings, *found) ? *found : std::string();
  }
  const auto found = std::ranges::find_if(domains, [&](const std::string& domain) { return has_address(settings, domain, reached.server_ip); });
  return found != domains.end() && has_own(settings, *found) ? *found : std::string();
}

}  // namespace net::dns
