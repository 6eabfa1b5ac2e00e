#include "lib/base/settings.h"
#include "lib/net/dns.h"

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

}  // namespace net::dns
