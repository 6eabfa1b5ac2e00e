#include "lib/base/sandbox.h"
#include "lib/base/settings.h"
#include "lib/base/text.h"
#include "lib/net/dns.h"
#include "lib/net/dns_sections.h"

namespace net::dns {

Settings settings_of(const base::Settings& settings) {
  Settings dns;
  dns.servers = settings.words("dns.server");
  dns.resolv_conf = settings.text("dns.resolv_conf");
  dns.stubs = settings.words("dns.stub");
  dns.trust_anchor = settings.text("dns.trust_anchor");
  dns.timeout_milliseconds = settings.milliseconds("dns.timeout");
  return dns;
}

void add_needs(base::Sandbox& sandbox, const base::Settings& settings) {
  constexpr std::uint16_t kPort = 53;
  sandbox.readable.push_back(settings.text("dns.resolv_conf"));
  if (const auto& anchor = settings.text("dns.trust_anchor"); !anchor.empty()) sandbox.readable.push_back(anchor);
  sandbox.limits_tcp = true;
  sandbox.ports.push_back(kPort);
  std::vector<std::string> servers{"dns.server", "dns.stub"};
  for (const auto& domain : settings.names("virtual")) {
    for (const auto* key : {"dns_server", "dns_stub"}) servers.push_back(base::Settings::named("virtual", domain, key));
    if (const auto anchor = settings_of_virtual(settings, domain).trust_anchor; !anchor.empty()) sandbox.readable.push_back(anchor);
  }
  for (const auto& setting : servers)
    for (const auto& word : settings.words(setting))
      if (const auto port = base::text::parse_number<std::uint16_t>(word.substr(word.rfind('@') + 1))) sandbox.ports.push_back(*port);
}

}  // namespace net::dns
