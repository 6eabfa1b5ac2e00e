// What a deliver-remote that keeps running needs of the system.
#pragma once

#include "lib/base/confinement.h"
#include "lib/base/sandbox.h"
#include "lib/base/settings.h"

namespace remote {

// The network, as far as HOST says, DNS, and the files of TLS and of log-ins, which are read when a connection first needs them.
[[nodiscard]] base::Sandbox sandbox_of(const base::Settings& settings);
// A program that knows policies is started outside.
[[nodiscard]] base::Obstacle obstacle_to_sandbox(const base::Settings& settings);

}  // namespace remote
