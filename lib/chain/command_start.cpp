#include "lib/chain/command_start.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <vector>

#include "lib/base/account.h"
#include "lib/base/text.h"

namespace chain {
namespace {

// What the child needs, made before vfork(2): the child has our memory, and may not allocate in it.
struct Plan {
  std::vector<char*> candidates;  // paths to try, in order
  std::vector<char*> arguments;
  std::span<const int> descriptors;
  Identity identity;
  const char* directory;  // nullptr: ours
  std::uint64_t memory_octets;
  bool ends_with_caller;
};

// What the child could not do; it writes here, in our memory.
struct Trouble {
  const char* step = nullptr;
  int number = 0;
};

// Only raw system calls from here on: glibc's setresuid() and its like would signal our other threads, whose list the child sees.
[[noreturn]] void give_up(volatile Trouble& trouble, const char* step) {
  trouble.number = errno;
  trouble.step = step;
  ::_exit(127);
}

void set_identity(const Identity& identity, volatile Trouble& trouble) {
  if (identity.group) {
    const gid_t group = *identity.group;
    if (::syscall(SYS_setgroups, 1, &group) != 0) give_up(trouble, "setgroups");
    if (::syscall(SYS_setresgid, group, group, group) != 0) give_up(trouble, "setresgid");
  }
  if (identity.user && ::syscall(SYS_setresuid, *identity.user, *identity.user, *identity.user) != 0) give_up(trouble, "setresuid");
}

// Handlers of ours must not run in the child.
void reset_signals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// As a shell looks a command up: what cannot be run there is passed over, and told if nothing else is found.
[[noreturn]] void execute(const Plan& plan, volatile Trouble& trouble) {
  int refused = 0;
  for (char* path : plan.candidates) {
    ::execve(path, plan.arguments.data(), ::environ);
    if (errno == EACCES) refused = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) give_up(trouble, "exec");
  }
  if (refused != 0) errno = refused;
  give_up(trouble, "exec");
}

[[noreturn]] void be_child(const Plan& plan, volatile Trouble& trouble) {
  if (::setpgid(0, 0) != 0) give_up(trouble, "setpgid");
  int count = 0;
  for (const int fd : plan.descriptors)
    if (::dup2(fd, count++) < 0) give_up(trouble, "dup2");
  if (::syscall(SYS_close_range, static_cast<unsigned>(count), ~0U, 0U) != 0) give_up(trouble, "close_range");
  if (plan.memory_octets > 0) {
    const rlimit limit{plan.memory_octets, plan.memory_octets};
    if (::syscall(SYS_prlimit64, 0, RLIMIT_AS, &limit, nullptr) != 0) give_up(trouble, "setrlimit");
  }
  set_identity(plan.identity, trouble);
  if (plan.directory != nullptr && ::syscall(SYS_chdir, plan.directory) != 0) give_up(trouble, "chdir");
  if (plan.ends_with_caller && ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) give_up(trouble, "prctl");  // forgotten when the user changes
  reset_signals();
  execute(plan, trouble);
}

__attribute__((noinline)) pid_t vfork_child(const Plan& plan, volatile Trouble& trouble) {
  const pid_t pid = ::vfork();
  if (pid == 0) be_child(plan, trouble);
  return pid;
}

std::vector<std::string> candidates_of(const std::string& program) {
  if (program.find('/') != std::string::npos) return {program};
  const char* path = std::getenv("PATH");
  std::vector<std::string> candidates;
  for (const auto folder : base::text::split(path != nullptr ? path : "/usr/bin:/bin", ':'))
    candidates.push_back((folder.empty() ? "." : std::string(folder)) + "/" + program);
  return candidates;
}

// execve(2) takes char*, and does not write there.
char* c_text(const std::string& text) { return const_cast<char*>(text.c_str()); }

}  // namespace

base::Result<Identity> find_identity(const Command& command) {
  Identity identity;
  if (command.user) {
    const auto account = base::find_account(*command.user);
    if (!account) return base::fail(base::Fault::Config, "user not found: '" + *command.user + "'");
    identity = {account->user, account->group};
  }
  if (command.group) {
    const auto account = base::find_account("0", *command.group);
    if (!account) return base::fail(base::Fault::Config, "group not found: '" + *command.group + "'");
    identity.group = account->group;
  }
  // Who we are already: nothing to change, and without root's rights nothing could be.
  if (::geteuid() != 0 && identity.user == ::geteuid()) identity.user.reset();
  if (::geteuid() != 0 && identity.group == ::getegid()) identity.group.reset();
  return identity;
}

base::Result<pid_t> start_process(const Command& command, std::span<const std::string> arguments, const Identity& identity,
                                  std::span<const int> descriptors) {
  const std::string& program = command.program;
  const auto paths = candidates_of(program);
  Plan plan{{}, {c_text(program)}, descriptors, identity, command.directory.empty() ? nullptr : command.directory.c_str(), command.memory_octets, command.ends_with_caller};
  for (const auto& path : paths) plan.candidates.push_back(c_text(path));
  for (const auto& argument : arguments) plan.arguments.push_back(c_text(argument));
  plan.arguments.push_back(nullptr);

  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  volatile Trouble trouble;
  const pid_t pid = vfork_child(plan, trouble);
  const int number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    errno = number;
    return base::fail_errno("fork");
  }
  if (trouble.step == nullptr) return pid;
  while (::syscall(SYS_wait4, pid, nullptr, 0, nullptr) < 0 && errno == EINTR) continue;
  errno = trouble.number;
  return base::fail_errno(std::string(trouble.step) + " " + program);
}

}  // namespace chain
