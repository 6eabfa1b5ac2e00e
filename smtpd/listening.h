// The sockets that smtpd serves.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace smtpd {

// Those of smtp.listen, those that systemd or s6 handed over, and descriptor 0 when it listens (inetd's wait). Empty: one session on
// descriptors 0 and 1 is meant. A port alone listens on loopback, on both families as far as the host has them.
[[nodiscard]] base::Result<std::vector<base::UniqueFd>> listening_sockets(const std::vector<std::string>& addresses);

}  // namespace smtpd
