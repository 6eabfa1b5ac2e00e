// The sockets that smtpd serves.
#pragma once

#include <string>
#include <vector>

#include "lib/base/command_line.h"
#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "smtpd/service.h"

namespace smtpd {

struct ListeningSocket {
  base::UniqueFd fd;
  Service service;
  std::string asked_for = {};  // the address as the configuration has it; "": it was handed over
};

[[nodiscard]] Service service_named(std::string_view name, Service otherwise);

// Those of --listen and its like, those that systemd or s6 handed over, and descriptor 0 when it listens (inetd's wait). Where
// nothing was handed over, neither sockets nor a session on descriptor 0: those of vsmtp.ini. Empty: one session on descriptors
// 0 and 1 is meant. A port alone listens on loopback, on both families as far as the host has them. What a predecessor of this process has
// listened on is used where it is asked for again, and closed where it is not.
[[nodiscard]] base::Result<std::vector<ListeningSocket>> listening_sockets(const base::CommandLine& line, std::vector<ListeningSocket> of_predecessor = {});

}  // namespace smtpd
