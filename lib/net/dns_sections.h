// DNS for the clients of a section [virtual "DOMAIN"] of vsmtp.ini, which may ask other servers than the rest.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/settings.h"
#include "lib/net/dns.h"

namespace net::dns {

// Whether the section says anything of its own.
[[nodiscard]] bool has_own(const base::Settings& settings, const std::string& domain);
// [dns], with what the section says instead.
[[nodiscard]] Settings settings_of_virtual(const base::Settings& settings, const std::string& domain);

// What is known of a client's session.
struct Reached {
  std::string_view server_name;  // that it was greeted with
  std::string_view asked_name;   // under TLS; "": none
  std::string_view server_ip;
};
// The section with DNS of its own that it is a client of: the name that it asked for says more than the one that it was greeted with, and
// that more than the address that it reached. "": none.
[[nodiscard]] std::string section_of(const base::Settings& settings, const Reached& reached);

}  // namespace net::dns
