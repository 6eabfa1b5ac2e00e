// One session on descriptors 0 and 1: under inetd, tcpserver, s6, systemd with Accept=yes, or by hand with pipes and files.
#pragma once

#include <memory>

#include "smtpd/configuration.h"

namespace smtpd {

// Blocks. Returns the exit code.
int serve_one_session(std::shared_ptr<const Configuration> configuration, Service service);

}  // namespace smtpd
