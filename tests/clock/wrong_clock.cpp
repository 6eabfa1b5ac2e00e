// A wall clock that is wrong by the seconds that stand in the file $WRONG_CLOCK: linked into a program in front of the C library's
// (--wrap=clock_gettime), so that a test can set the clock of that program alone while it runs.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

extern "C" int __real_clock_gettime(clockid_t clock, timespec* time);

namespace {

long seconds_wrong() {
  const char* file = std::getenv("WRONG_CLOCK");
  const int fd = file != nullptr ? ::open(file, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return 0;
  char text[32] = {};
  const auto length = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  return length > 0 ? std::atol(text) : 0;
}

}  // namespace

extern "C" int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  const int result = __real_clock_gettime(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += seconds_wrong();
  return result;
}
