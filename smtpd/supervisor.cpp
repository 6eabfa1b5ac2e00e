#include "smtpd/supervisor.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/base/text.h"

namespace smtpd {
namespace {

constexpr std::uint64_t kFirstBackoff = 250, kLongestBackoff = 30'000;  // milliseconds
constexpr std::uint64_t kSoundLife = 60'000;                            // a worker that lived so long was sound
constexpr std::uint64_t kTryMilliseconds = 60'000;                      // what the successor has to show that it can start
constexpr int kDrain = SIGUSR2;                                         // to a worker: no new sessions, then end

struct Worker {
  pid_t pid = 0;  // 0: waits for its start
  std::size_t slot = 0;
  bool is_ready = false;
  std::uint64_t started = 0, starts_at = 0, backoff = kFirstBackoff;
  std::uint32_t beats = 0;       // when last looked
  std::uint64_t beat_seen = 0;
};

struct OldWorker {
  pid_t pid;
  std::size_t slot;
};

constexpr auto kWatched = std::to_array({SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR2});

sigset_t watched_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int number : kWatched) ::sigaddset(&signals, number);
  return signals;
}

class Supervisor {
 public:
  explicit Supervisor(Supervised supervised) : own_(std::move(supervised)), workers_(own_.workers) { take_old_workers(); }

  int run() {
    const sigset_t signals = watched_signals();
    ::sigprocmask(SIG_BLOCK, &signals, &before_);
    // A predecessor has left them blocked, so that none was lost on the way.
    for (const int number : kWatched) ::sigdelset(&before_, number);
    signals_ = base::UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    std::array<int, 2> pipe{};
    if (!signals_.is_open() || ::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
      base::log::error("no supervisor", {{"cause", std::strerror(errno)}});
      return 1;
    }
    ready_reader_ = base::UniqueFd(pipe[0]);
    ready_writer_ = base::UniqueFd(pipe[1]);
    reap();  // workers of the predecessor that have ended while nobody looked
    while (!is_stopping_ || is_alive()) {
      if (!is_stopping_ && start_due()) return child_exit_code_;
      wait();
      take_signals();
      take_ready();
      reap();
      look_after();
    }
    return 0;
  }

 private:
  [[nodiscard]] bool is_alive() const { return !old_.empty() || std::ranges::any_of(workers_, [](const Worker& worker) { return worker.pid != 0; }); }

  // "PID:SLOT PID:SLOT"
  void take_old_workers() {
    for (const auto word : base::text::split(own_.old_workers, ' ')) {
      const auto [pid, slot] = base::text::split_once(word, ':');
      const auto number = base::text::parse_number<pid_t>(pid);
      const auto place = base::text::parse_number<std::size_t>(slot);
      if (number && place && *place < Board::kSlots) old_.push_back({*number, *place});
    }
  }

  [[nodiscard]] std::string old_workers_text() const {
    std::string text;
    const auto add = [&text](pid_t pid, std::size_t slot) { text += (text.empty() ? "" : " ") + std::to_string(pid) + ":" + std::to_string(slot); };
    for (const auto& worker : workers_)
      if (worker.pid != 0) add(worker.pid, worker.slot);
    for (const auto& worker : old_) add(worker.pid, worker.slot);
    return text;
  }

  // One that nobody has; the last one is shared when there are more workers than slots.
  [[nodiscard]] std::size_t free_slot() const {
    for (std::size_t slot = 0; slot < Board::kSlots; ++slot) {
      const bool is_taken = std::ranges::any_of(workers_, [&](const Worker& worker) { return worker.pid != 0 && worker.slot == slot; }) ||
                            std::ranges::find(old_, slot, &OldWorker::slot) != old_.end();
      if (!is_taken) return slot;
    }
    return Board::kSlots - 1;
  }

  // True in a worker that has done its work.
  bool start_due() {
    const auto now = base::monotonic_milliseconds();
    for (auto& worker : workers_) {
      if (worker.pid != 0 || worker.starts_at > now) continue;
      const pid_t parent = ::getpid();
      worker.slot = free_slot();
      worker.is_ready = false;
      worker.beat_seen = now;
      own_.board->slots[worker.slot].sessions = 0;
      own_.board->slots[worker.slot].is_taken = 1;
      worker.pid = ::fork();
      if (worker.pid < 0) {
        base::log::error("fork failed", {{"cause", std::strerror(errno)}});
        worker.pid = 0;
        own_.board->slots[worker.slot].is_taken = 0;
        worker.starts_at = now + kFirstBackoff;
        continue;
      }
      if (worker.pid == 0) {
        be_worker(parent, worker.slot);
        return true;
      }
      worker.started = now;
      base::log::info("worker started", {{"worker", worker.pid}});
    }
    return false;
  }

  void be_worker(pid_t parent, std::size_t slot) {
    const Post post = {ready_writer_.release(), &own_.board->slots[slot], base::service::watchdog_milliseconds() / 2};
    signals_.reset();
    ready_reader_.reset();
    base::service::forget();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // nobody would stop it else
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    child_exit_code_ = ::getppid() == parent ? own_.work(post) : 0;
  }

  void wait() {
    watched_ = {{signals_.get(), POLLIN, 0}, {ready_reader_.get(), POLLIN, 0}};
    if (own_.add_watched) own_.add_watched(watched_);
    (void)::poll(watched_.data(), watched_.size(), patience());
    if (own_.on_watched) own_.on_watched(watched_);
  }

  // Milliseconds, -1: until something happens.
  [[nodiscard]] int patience() const {
    const auto now = base::monotonic_milliseconds();
    std::uint64_t until = ~std::uint64_t{0};
    for (const auto& worker : workers_)
      if (!is_stopping_ && worker.pid == 0) until = std::min(until, worker.starts_at);
    if (trial_ != 0) until = std::min(until, trial_ends_);
    if (base::service::watchdog_milliseconds() > 0) until = std::min(until, next_alive_);
    if (own_.each_second) until = std::min(until, next_second_);
    if (until == ~std::uint64_t{0}) return -1;
    return until <= now ? 1 : static_cast<int>(std::min<std::uint64_t>(until - now, 60'000));
  }

  void take_signals() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT: stop(); break;
        case SIGHUP: reload(); break;
        case SIGUSR2: begin_restart(); break;
        default: break;  // SIGCHLD: reap()
      }
    }
  }

  void stop() {
    if (!std::exchange(is_stopping_, true)) base::service::stopping();
    if (trial_ != 0) ::kill(trial_, SIGKILL);
    pass_on(SIGTERM);
  }

  void reload() {
    if (is_stopping_) return;
    base::service::reloading();
    own_.reload();
    pass_on(SIGHUP);
    base::service::ready();
  }

  void pass_on(int number) const {
    for (const auto& worker : workers_)
      if (worker.pid != 0) ::kill(worker.pid, number);
    for (const auto& worker : old_) ::kill(worker.pid, number);
  }

  // ---- readiness and life

  void take_ready() {
    pid_t pid = 0;
    while (::read(ready_reader_.get(), &pid, sizeof pid) == sizeof pid) {
      const auto worker = std::ranges::find(workers_, pid, &Worker::pid);
      if (worker != workers_.end()) worker->is_ready = true;
    }
    if (is_ready_ || !std::ranges::all_of(workers_, &Worker::is_ready)) return;
    is_ready_ = true;
    for (const auto& old : old_) ::kill(old.pid, kDrain);
    if (!own_.old_workers.empty()) base::log::info("restarted", {{"old_workers", old_.size()}});
    base::service::ready();
  }

  void look_after() {
    const auto now = base::monotonic_milliseconds();
    if (trial_ != 0 && now >= trial_ends_) ::kill(trial_, SIGKILL);
    if (const auto period = base::service::watchdog_milliseconds(); period > 0 && now >= next_alive_) {
      next_alive_ = now + period / 2;
      if (are_workers_alive(now, 2 * period)) base::service::alive();
    }
    if (own_.each_second && now >= next_second_) {
      next_second_ = now + 1000;
      own_.each_second();
    }
  }

  bool are_workers_alive(std::uint64_t now, std::uint64_t limit) {
    bool are_alive = true;
    for (auto& worker : workers_) {
      if (worker.pid == 0 || !worker.is_ready) continue;
      const auto beats = own_.board->slots[worker.slot].beats.load();
      if (std::exchange(worker.beats, beats) != beats) worker.beat_seen = now;
      if (now - worker.beat_seen > limit) are_alive = false;
    }
    return are_alive;
  }

  void reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid == trial_) {
        end_restart(status);
      } else if (const auto old = std::ranges::find(old_, pid, &OldWorker::pid); old != old_.end()) {
        own_.board->slots[old->slot].is_taken = 0;
        old_.erase(old);
      } else {
        note_death(pid, status);
      }
    }
  }

  void note_death(pid_t pid, int status) {
    const auto worker = std::ranges::find(workers_, pid, &Worker::pid);
    if (worker == workers_.end()) return;
    worker->pid = 0;
    own_.board->slots[worker->slot].is_taken = 0;
    if (is_stopping_) return;
    const auto now = base::monotonic_milliseconds();
    worker->backoff = now - worker->started > kSoundLife ? kFirstBackoff : std::min(worker->backoff * 2, kLongestBackoff);
    worker->starts_at = now + worker->backoff;
    const bool was_killed = WIFSIGNALED(status);
    base::log::error("worker died", {{"worker", pid},
                                     {was_killed ? "signal" : "exit_code", was_killed ? WTERMSIG(status) : WEXITSTATUS(status)},
                                     {"restart_in_milliseconds", worker->backoff}});
  }

  // ---- restart: another process tries first, since there is no way back from exec

  void begin_restart() {
    if (is_stopping_ || trial_ != 0) return;
    base::log::info("restarting");
    trial_ = own_.try_successor();
    trial_ends_ = base::monotonic_milliseconds() + kTryMilliseconds;
    if (trial_ == 0) base::log::error("restart failed, the old one stays");
  }

  void end_restart(int status) {
    trial_ = 0;
    if (is_stopping_) return;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      const bool was_killed = WIFSIGNALED(status);
      base::log::error("restart failed, the old one stays", {{was_killed ? "signal" : "exit_code", was_killed ? WTERMSIG(status) : WEXITSTATUS(status)}});
      return;
    }
    base::service::reloading();
    own_.succeed(old_workers_text());
    base::log::error("restart failed, the old one stays");
    base::service::ready();
  }

  Supervised own_;
  std::vector<Worker> workers_;
  std::vector<OldWorker> old_;
  sigset_t before_{};
  base::UniqueFd signals_, ready_reader_, ready_writer_;
  std::vector<pollfd> watched_;
  pid_t trial_ = 0;  // 0: none runs
  std::uint64_t trial_ends_ = 0, next_alive_ = 0, next_second_ = 0;
  bool is_stopping_ = false, is_ready_ = false;
  int child_exit_code_ = 0;
};

}  // namespace

void Post::tell_ready() const {
  const pid_t self = ::getpid();
  if (ready_pipe >= 0) (void)!::write(ready_pipe, &self, sizeof self);
}

void Post::tell_alive() const {
  if (slot != nullptr) slot->beats.fetch_add(1, std::memory_order_relaxed);
}

int supervise(Supervised supervised) { return Supervisor(std::move(supervised)).run(); }

}  // namespace smtpd
