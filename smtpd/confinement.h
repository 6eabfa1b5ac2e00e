// What a process of smtpd may still do when it begins to read what strangers send.
#pragma once

#include <string>

#include "lib/base/command_line.h"
#include "lib/base/confinement.h"
#include "lib/base/result.h"
#include "smtpd/configuration.h"

namespace smtpd {

// The first program that sessions of this configuration start, as policy, filter or checker of passwords; "": all that they call runs already
// (unix:, inet:).
[[nodiscard]] std::string started_program(const Configuration& configuration);
[[nodiscard]] base::Obstacle obstacle_of(const Configuration& configuration);

// As many descriptors as the configuration needs, for a server of many sessions. What cannot be had is an error if it was asked for.
[[nodiscard]] base::Result<void> take_descriptors(const base::Settings& settings, const Configuration& configuration);
// Whether server.sandbox = yes can be obeyed.
[[nodiscard]] base::Result<void> check_sandbox(const base::Settings& settings, const Configuration& configuration);
// server.sandbox and server.memory_max. For good; in each process that serves, before it has threads.
[[nodiscard]] base::Result<void> confine(const base::CommandLine& line, const Configuration& configuration);
// server.chroot and server.user, in this order; what is served is open already.
[[nodiscard]] base::Result<void> give_up_rights(const base::Settings& settings);

}  // namespace smtpd
