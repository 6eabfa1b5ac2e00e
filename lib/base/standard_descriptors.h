#pragma once

namespace base {

// A program may be started with 0, 1 or 2 closed. The next file it opens would have that number, and lines for the log or the
// caller would end in a message or in the queue. Each becomes a /dev/null that fails as if it were closed.
void keep_standard_descriptors();

}  // namespace base
