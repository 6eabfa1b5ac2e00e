#include "smtpd/supervisor.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/log.h"

namespace smtpd {
namespace {

constexpr std::uint64_t kFirstBackoff = 250, kLongestBackoff = 30'000;  // milliseconds
constexpr std::uint64_t kSoundLife = 60'000;                            // a worker that lived so long was sound

struct Worker {
  pid_t pid = 0;  // 0: waits for its start
  std::uint64_t started = 0, starts_at = 0, backoff = kFirstBackoff;
};

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  return signals;
}

class Supervisor {
 public:
  Supervisor(std::size_t count, const std::function<int()>& work, const std::function<void()>& reload)
      : work_(work), reload_(reload), workers_(count) {}

  int run() {
    const sigset_t signals = watched_signals();
    ::sigprocmask(SIG_BLOCK, &signals, &before_);
    while (!is_stopping_ || is_alive()) {
      if (!is_stopping_ && start_due()) return child_exit_code_;
      const timespec pause = {1, 0};
      const int number = ::sigtimedwait(&signals, nullptr, until_next_start(pause));
      if (number == SIGTERM || number == SIGINT) is_stopping_ = true;
      if (number == SIGHUP) reload_();  // for workers that start later
      if (number == SIGTERM || number == SIGINT || number == SIGHUP) pass_on(number == SIGHUP ? SIGHUP : SIGTERM);
      reap();
    }
    return 0;
  }

 private:
  [[nodiscard]] bool is_alive() const { return std::ranges::any_of(workers_, [](const Worker& worker) { return worker.pid != 0; }); }

  // True in a worker that has done its work.
  bool start_due() {
    const auto now = base::monotonic_milliseconds();
    for (auto& worker : workers_) {
      if (worker.pid != 0 || worker.starts_at > now) continue;
      const pid_t parent = ::getpid();
      worker.pid = ::fork();
      if (worker.pid < 0) {
        base::log::error("fork failed", {{"cause", std::strerror(errno)}});
        worker.pid = 0;
        worker.starts_at = now + kFirstBackoff;
        continue;
      }
      if (worker.pid == 0) {
        be_worker(parent);
        return true;
      }
      worker.started = now;
      base::log::info("worker started", {{"worker", worker.pid}});
    }
    return false;
  }

  void be_worker(pid_t parent) {
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // nobody would stop it else
    child_exit_code_ = ::getppid() == parent ? work_() : 0;
  }

  const timespec* until_next_start(const timespec& pause) {
    const bool waits = !is_stopping_ && std::ranges::any_of(workers_, [](const Worker& worker) { return worker.pid == 0; });
    if (!waits) return nullptr;
    pause_ = pause;
    const auto now = base::monotonic_milliseconds();
    for (const auto& worker : workers_) {
      if (worker.pid != 0) continue;
      const auto left = worker.starts_at > now ? worker.starts_at - now : 1;
      if (left < 1000) pause_ = {0, static_cast<long>(left) * 1'000'000};
    }
    return &pause_;
  }

  void pass_on(int number) const {
    for (const auto& worker : workers_)
      if (worker.pid != 0) ::kill(worker.pid, number);
  }

  void reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto worker = std::ranges::find(workers_, pid, &Worker::pid);
      if (worker == workers_.end()) continue;
      worker->pid = 0;
      if (is_stopping_) continue;
      const auto now = base::monotonic_milliseconds();
      worker->backoff = now - worker->started > kSoundLife ? kFirstBackoff : std::min(worker->backoff * 2, kLongestBackoff);
      worker->starts_at = now + worker->backoff;
      const bool was_killed = WIFSIGNALED(status);
      base::log::error("worker died", {{"worker", pid},
                                       {was_killed ? "signal" : "exit_code", was_killed ? WTERMSIG(status) : WEXITSTATUS(status)},
                                       {"restart_in_milliseconds", worker->backoff}});
    }
  }

  const std::function<int()>& work_;
  const std::function<void()>& reload_;
  std::vector<Worker> workers_;
  sigset_t before_{};
  timespec pause_{};
  bool is_stopping_ = false;
  int child_exit_code_ = 0;
};

}  // namespace

int supervise(std::size_t workers, const std::function<int()>& work, const std::function<void()>& reload) {
  return Supervisor(workers, work, reload).run();
}

}  // namespace smtpd
