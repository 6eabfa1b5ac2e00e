// What vsmtp.ini says of TLS.
#pragma once

#include <memory>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/net/tls.h"

namespace smtpd {

// nullptr: there is no certificate. Reads all files; what is wrong with them is said with their names.
[[nodiscard]] base::Result<std::shared_ptr<const net::tls::Context>> tls_context(const base::Settings& settings, std::shared_ptr<net::tls::TicketKeys> ticket_keys);

}  // namespace smtpd
