// The sections [virtual "DOMAIN"] of vsmtp.ini: what is another host's for clients that reached one of its addresses, or asked for its
// name under TLS.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/mail/domain_list.h"
#include "lib/net/dns.h"
#include "lib/net/tls.h"
#include "lib/smtp/server_options.h"
#include "smtpd/service.h"

namespace smtpd {

using SessionOptions = std::array<smtp::ServerOptions, kServiceNames.size()>;  // one a service

struct VirtualHost {
  std::string domain;                  // of the section
  std::string hostname;                // lower case; "": that of the server
  std::vector<std::string> addresses;  // as net::Address::ip() writes them
  mail::DomainList relay_domains;
  SessionOptions sessions;
  std::optional<net::dns::Settings> dns;  // for lists of addresses; none: that of the server
  std::shared_ptr<const net::tls::Context> tls;  // with its certificate for clients that name nobody; nullptr: that of the server
};

class VirtualHosts {
 public:
  // All of them, with `standard` for sessions as far as they say nothing else. `standard` need not be prepared.
  [[nodiscard]] static base::Result<VirtualHosts> from(const base::Settings& settings, const SessionOptions& standard);

  // nullptr: nobody's.
  [[nodiscard]] const VirtualHost* at(std::string_view ip) const;
  // Of a section, or that of a name in its certificate.
  [[nodiscard]] const VirtualHost* named(const net::tls::Facts& tls) const;

  std::vector<VirtualHost> all;
};

}  // namespace smtpd
