// One exec'd program of a message or delivery call: started with its descriptors in place, watched until it has ended.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/chain/message_call.h"
#include "lib/net/loop.h"

namespace chain {

// How it ended, as waitid(2) tells.
struct ProcessEnd {
  int exit_code = 0;
  int signal = 0;  // that killed it; 0: it exited
  std::string report;
};

class Process {
 public:
  using OnEnd = std::function<void(ProcessEnd)>;
  // `words` is the program, its arguments, and the rest of the chain behind "--". Found by $PATH unless it has a slash.
  // `on_end` is called once, from the loop; the Process may be destroyed in it.
  [[nodiscard]] static base::Result<std::unique_ptr<Process>> start(net::Loop& loop, WordsView words, const Call& call, OnEnd on_end);
  ~Process();  // a program that still runs goes on, unwatched

  // SIGTERM to its process group, SIGKILL to what is left of it after `grace_milliseconds`. on_end comes as ever.
  void kill(std::uint64_t grace_milliseconds);

 private:
  Process(net::Loop& loop, pid_t pid, base::UniqueFd handle, base::UniqueFd report, std::size_t report_limit, OnEnd on_end);
  void read_report(int times);
  void reap();

  net::Loop& loop_;
  pid_t pid_;
  base::UniqueFd handle_;  // pidfd: readable when the process has ended
  base::UniqueFd report_pipe_;
  std::string report_;
  std::size_t report_limit_;
  bool is_killed_ = false;
  OnEnd on_end_;
  std::unique_ptr<net::Timer> grace_;
  net::Watch end_watch_;
  net::Watch report_watch_;
};

}  // namespace chain
