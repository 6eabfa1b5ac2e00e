// How programs are started: each in a process group of its own, so that a time limit reaches its children too, with the descriptors
// of its interface and no others.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <vector>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/chain/message_call.h"

namespace chain {

// The descriptors of all interfaces are below this one; our own must not lie where dup2 puts others.
inline constexpr int kAboveInterface = 7;
[[nodiscard]] base::Result<base::UniqueFd> above_interface(base::UniqueFd fd);

// What the program finds open besides 2, and where.
class Descriptors {
 public:
  Descriptors() { ::posix_spawn_file_actions_init(&actions_); }
  ~Descriptors() { ::posix_spawn_file_actions_destroy(&actions_); }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  void put(base::UniqueFd fd, int at);
  // Everything else is closed, also what this process got itself without close-on-exec.
  const posix_spawn_file_actions_t* finish();

 private:
  posix_spawn_file_actions_t actions_;
  std::vector<int> placed_;
  std::vector<base::UniqueFd> kept_;
};

// `words` is the program, found by $PATH unless it has a slash, and its arguments; `environment` goes over our own (environment.h).
[[nodiscard]] base::Result<pid_t> spawn(WordsView words, const Words& environment, Descriptors& descriptors);

// A pidfd, readable when the process has ended; not open when there are no descriptors left.
[[nodiscard]] base::UniqueFd handle_of(pid_t pid);

}  // namespace chain
