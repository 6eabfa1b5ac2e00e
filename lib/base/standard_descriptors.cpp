#include "lib/base/standard_descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace base {

void keep_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // Gets the lowest free number, which is fd. Reading and writing there is EBADF, and programs that are started find it closed.
    (void)::open("/dev/null", O_PATH | O_CLOEXEC);
  }
}

}  // namespace base
