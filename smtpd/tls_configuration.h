// What vsmtp.ini says of TLS.
#pragma once

#include <memory>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/net/tls.h"

namespace smtpd {

// nullptr: there is no certificate. Reads all files; what is wrong with them is said with their names.
[[nodiscard]] base::Result<std::shared_ptr<const net::tls::Context>> tls_context(const base::Settings& settings, const std::shared_ptr<net::tls::TicketKeys>& ticket_keys);
// The same for clients that reached an address of [virtual "DOMAIN"]: its certificate is for those who name nobody. nullptr: it has none.
[[nodiscard]] base::Result<std::shared_ptr<const net::tls::Context>> tls_context_of(const std::string& domain, const base::Settings& settings,
                                                                                   const std::shared_ptr<net::tls::TicketKeys>& ticket_keys);

}  // namespace smtpd
