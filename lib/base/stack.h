// The stack of the thread that runs.
#pragma once

#include <cstddef>

namespace base {

// Octets between here and the end of this thread's stack, as its limit is now (RLIMIT_STACK for the first thread). The first call in
// a thread takes some ten microseconds; the others a few instructions.
std::size_t stack_left();

}  // namespace base
