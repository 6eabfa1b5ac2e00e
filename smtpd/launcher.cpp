#include "smtpd/launcher.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/net/ucspi.h"

extern char** environ;

namespace launch {
namespace {

bool is_ucspi(std::string_view variable) {
  const auto name = base::text::split_once(variable, '=').first;
  return std::ranges::find(net::kUcspiVariables, name) != net::kUcspiVariables.end();
}

// What posix_spawn wants to know; freed with it.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  void set_stdio(int connection) {
    ::posix_spawn_file_actions_adddup2(&actions_, connection, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, connection, STDOUT_FILENO);
  }
  // The loop ignores SIGPIPE; a program expects signals as a shell would give them.
  void reset_signals() {
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

void append_pointers(std::vector<char*>& pointers, const std::vector<std::string>& words) {
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));  // exec does not write to them
}

std::string describe(const siginfo_t& end) {
  return (end.si_code == CLD_EXITED ? "exit code " : "signal ") + std::to_string(end.si_status);
}

}  // namespace

base::Result<std::string> find_program(const std::string& name) {
  const auto fail = [&] { return base::fail_errno("program " + name, base::Fault::Config); };
  if (name.contains('/')) {
    if (::access(name.c_str(), X_OK) != 0) return fail();
    return name;
  }
  const char* path = std::getenv("PATH");
  for (const auto directory : base::text::split(path != nullptr ? path : "/usr/bin:/bin", ':')) {
    const std::string candidate = (directory.empty() ? "." : std::string(directory)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  errno = ENOENT;
  return fail();
}

Launcher::Launcher(net::Loop& loop, LaunchRules rules) : loop_(loop), rules_(std::move(rules)), clients_(rules_.limits) {
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!is_ucspi(*variable)) environment_.emplace_back(*variable);
}

void Launcher::add(base::UniqueFd listening) {
  listeners_.push_back(std::make_unique<net::Listener>(loop_, std::move(listening), [this](base::UniqueFd fd) { on_connection(std::move(fd)); }));
}

void Launcher::on_connection(base::UniqueFd connection) {
  const auto remote = net::Address::of_peer(connection.get());
  if (remote.is_empty()) return;  // gone already
  if (clients_.is_full()) return refuse(std::move(connection), remote, "connections");
  const std::string client = clients_.client_of(remote);
  if (clients_.is_full_for(client)) return refuse(std::move(connection), remote, "connections of this client");

  ::fcntl(connection.get(), F_SETFL, 0);  // programs expect descriptors that wait
  const auto pid = start(connection.get(), net::ucspi_environment(remote, net::Address::of_local(connection.get()), rules_.local_host));
  if (!pid) return base::log::error("cannot start", {{"program", rules_.path}, {"cause", pid.error().cause}});
  clients_.add(client);
  watch(*pid, client);
  base::log::info("connected", {{"child", *pid}, {"remote", remote.text()}, {"connections", clients_.count()}});
  pause_if_full();
}

void Launcher::refuse(base::UniqueFd connection, const net::Address& remote, const char* reason) {
  base::log::warning("refused", {{"remote", remote.text()}, {"limit", reason}});
  if (rules_.refusal.empty()) return;
  (void)base::write_all(connection.get(), rules_.refusal + "\r\n");  // a new socket has room for a line, or the client has gone
  ::shutdown(connection.get(), SHUT_WR);
}

base::Result<pid_t> Launcher::start(int connection, const std::vector<std::string>& environment) const {
  SpawnPlan plan;
  plan.set_stdio(connection);
  plan.reset_signals();
  std::vector<char*> arguments, variables;
  append_pointers(arguments, rules_.arguments);
  arguments.push_back(nullptr);
  append_pointers(variables, environment_);
  append_pointers(variables, environment);
  variables.push_back(nullptr);
  pid_t pid = 0;
  errno = ::posix_spawn(&pid, rules_.path.c_str(), plan.actions(), plan.attributes(), arguments.data(), variables.data());
  if (errno != 0) return base::fail_errno("posix_spawn");
  return pid;
}

void Launcher::watch(pid_t pid, const std::string& client) {
  Child child;
  child.client = client;
  child.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!child.pidfd.is_open()) {
    // Its end would not be seen, and the limits would drift. Out of descriptors: the connection cannot be served.
    base::log::error("cannot watch", {{"child", pid}, {"cause", std::strerror(errno)}});
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    clients_.remove(client);
    return;
  }
  child.watch = std::make_unique<net::Watch>(loop_, child.pidfd.get(), [this, pid](unsigned) { on_child_end(pid); });
  child.watch->want(net::Watch::Readable);
  children_.emplace(pid, std::move(child));
}

void Launcher::on_child_end(pid_t pid) {
  siginfo_t end = {};
  if (::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOHANG) != 0 || end.si_pid == 0) return;
  const auto child = children_.find(pid);
  clients_.remove(child->second.client);
  children_.erase(child);
  base::log::info("ended", {{"child", pid}, {"status", describe(end)}, {"connections", clients_.count()}});
  if (is_paused_) {
    is_paused_ = false;
    for (const auto& listener : listeners_) listener->resume();
  }
  if (children_.empty()) on_last_end();
}

// Without words for who is too many, they wait in the backlog.
void Launcher::pause_if_full() {
  if (!clients_.is_full() || !rules_.refusal.empty()) return;
  is_paused_ = true;
  for (const auto& listener : listeners_) listener->pause();
}

}  // namespace launch
