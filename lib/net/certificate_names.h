// For which host a certificate is: RFC 6125 section 6.4.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/net/tls.h"

namespace net::tls {

// Whether `presented`, a DNS name of a certificate, stands for `wanted`, a host name in A-labels. A wildcard is the whole first label, stands
// for one label, and at least two labels follow it. `wanted` may begin with a dot: any name below it.
[[nodiscard]] bool stands_for(std::string_view presented, std::string_view wanted);

// Whether the certificate is for one of `wanted`: host names as above, or IP addresses. The common name counts where there is no DNS name
// (section 6.4.4).
[[nodiscard]] bool names_one_of(const PeerCertificate& certificate, std::span<const std::string> wanted);

}  // namespace net::tls
