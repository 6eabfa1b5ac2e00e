// The worker processes that serve the sockets, and the parent that watches over them. The parent reads nothing that strangers send.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/base/unique_fd.h"
#include "smtpd/board.h"

namespace smtpd {

// What a worker has of its parent.
struct Post {
  int ready_pipe = -1;
  Slot* slot = nullptr;

  void tell_ready() const;  // it serves
  void tell_alive() const;  // its loop turns; some times in each alive_milliseconds
  std::uint64_t alive_milliseconds = 0;  // 0: nobody looks
};

struct Supervised {
  std::size_t workers = 1;
  std::function<int(const Post&)> work;  // in a process of its own, which exits with what it returns
  std::function<void()> reload;          // on SIGHUP, before it is passed on: for workers that start later
  // On SIGUSR2. Starts a process that tries whether this program could start anew, and ends with 0 if so; 0: it could not be started.
  std::function<pid_t()> try_successor;
  std::function<void(const std::string& old_workers)> succeed;  // becomes the successor; returns when that fails
  std::string old_workers;  // of the predecessor: they are told to finish when ours serve
  Board* board = nullptr;   // counters and signs of life, shared by all
  std::function<void()> each_second = {};
  // Descriptors to wait for beside, and what to do then; asked before each wait.
  std::function<void(std::vector<pollfd>&)> add_watched = {};
  std::function<void(const std::vector<pollfd>&)> on_watched = {};
};

// Forks the workers and starts those again that die, late when they die soon. SIGTERM and SIGINT end them; returns when they have ended.
// Fork before threads, loops and memory.
int supervise(Supervised supervised);

}  // namespace smtpd
