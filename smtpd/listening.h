// The sockets that smtpd serves.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/base/unique_fd.h"
#include "smtpd/service.h"

namespace smtpd {

struct ListeningSocket {
  base::UniqueFd fd;
  Service service;
};

[[nodiscard]] Service service_named(std::string_view name, Service otherwise);

// Those of smtp.listen and its like, those that systemd or s6 handed over, and descriptor 0 when it listens (inetd's wait). Empty: one session on
// descriptors 0 and 1 is meant. A port alone listens on loopback, on both families as far as the host has them.
[[nodiscard]] base::Result<std::vector<ListeningSocket>> listening_sockets(const base::Settings& settings);

}  // namespace smtpd
