// Whom a client's certificate names.
#pragma once

#include <string>
#include <string_view>

#include "lib/net/tls.h"

namespace smtpd {

// "CN=host.example" of a subject; "" if there is none.
std::string_view common_name(std::string_view subject);

// Who a client is for the mechanism EXTERNAL: the e-mail address of its certificate, else the only common name of the subject. "" without
// a certificate that somebody vouches for.
std::string identity_of(const net::tls::Facts& tls);

}  // namespace smtpd
