#include "lib/chain/spawn.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "lib/chain/environment.h"

namespace chain {
namespace {

// Signals as a new process expects them.
class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

}  // namespace

base::Result<base::UniqueFd> above_interface(base::UniqueFd fd) {
  if (fd.get() >= kAboveInterface) return fd;
  base::UniqueFd higher(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kAboveInterface));
  if (!higher.is_open()) return base::fail_errno("dup");
  return higher;
}

void Descriptors::put(base::UniqueFd fd, int at) {
  ::posix_spawn_file_actions_adddup2(&actions_, fd.get(), at);
  placed_.push_back(at);
  kept_.push_back(std::move(fd));
}

const posix_spawn_file_actions_t* Descriptors::finish() {
  for (int fd = 0; fd < kAboveInterface; ++fd)
    if (fd != 2 && std::ranges::find(placed_, fd) == placed_.end()) ::posix_spawn_file_actions_addclose(&actions_, fd);
  ::posix_spawn_file_actions_addclosefrom_np(&actions_, kAboveInterface);
  return &actions_;
}

base::Result<pid_t> spawn(WordsView words, const Words& over, Descriptors& descriptors) {
  const Attributes attributes;
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));  // execve(2) takes char*
  arguments.push_back(nullptr);
  const auto environment = environment_for_exec(over);
  pid_t pid;
  const int number = ::posix_spawnp(&pid, arguments[0], descriptors.finish(), attributes.get(), arguments.data(), environment.data());
  if (number == 0) return pid;
  errno = number;
  return base::fail_errno("start");
}

// By number: glibc 2.36 declares its wrapper without extern "C".
base::UniqueFd handle_of(pid_t pid) { return base::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

}  // namespace chain
