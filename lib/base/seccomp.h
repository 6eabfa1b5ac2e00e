// The filter of system calls of a sandbox (sandbox.h).
#pragma once

#include "lib/base/result.h"

namespace base {

// From now on this thread, and those that it starts, make only the calls that seccomp.cpp lists. False: not for this machine, or this
// kernel has no filters. no_new_privs must be set. `names_interfaces`: if_nametoindex(3) is one of them.
[[nodiscard]] Result<bool> filter_system_calls(bool names_interfaces);

}  // namespace base
