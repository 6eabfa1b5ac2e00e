#include "lib/chain/command.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "lib/base/clock.h"

using namespace chain;
using namespace std::chrono_literals;

namespace {

base::Result<CommandEnd> shell(const std::string& script, std::chrono::milliseconds timeout = 30s, const std::string& input = {}) {
  Command command;
  command.program = "sh";
  command.timeout = timeout;
  return run_command(command, std::vector<std::string>{"-c", script}, base::Blob::of_octets(input));
}
std::string output_of(const std::string& script, const std::string& input = {}) {
  const auto end = shell(script, 30s, input);
  REQUIRE(end);
  CHECK(end->code == 0);
  return end->output;
}

}  // namespace

TEST_CASE("command: exit code and signal") {
  const auto exited = shell("exit 3");
  REQUIRE(exited);
  CHECK(exited->code == 3);
  CHECK_FALSE(exited->signal);
  const auto killed = shell("kill -15 $$");
  REQUIRE(killed);
  CHECK(killed->signal == 15);
  CHECK_FALSE(killed->code);
}

TEST_CASE("command: when its time is over its whole process group is killed") {
  const auto start = base::monotonic_milliseconds();
  const auto end = shell("sleep 9 & echo $!; wait", 200ms);
  CHECK(base::monotonic_milliseconds() - start < 5000);
  REQUIRE(end);
  CHECK(end->signal == 9);
  CHECK_FALSE(end->code);
  const pid_t child = std::atoi(end->output.c_str());
  REQUIRE(child > 0);
  // It may be a zombie until init reaps it.
  bool is_gone = false;
  for (int i = 0; i < 500 && !is_gone; ++i) {
    is_gone = output_of("grep -qs '^State:.[^Z]' /proc/" + std::to_string(child) + "/status && echo alive; :").empty();
    if (!is_gone) ::usleep(10'000);
  }
  CHECK(is_gone);
}

TEST_CASE("command: a child that holds the pipes does not hold the caller") {
  const auto start = base::monotonic_milliseconds();
  const auto end = shell("sleep 5 & echo done");
  CHECK(base::monotonic_milliseconds() - start < 4000);
  REQUIRE(end);
  CHECK(end->output == "done\n");
}

TEST_CASE("command: input, output and errors, kept up to the limit") {
  CHECK(output_of("cat", "a message\n") == "a message\n");
  CHECK(output_of("cat").empty());
  const std::string large(300'000, 'x');
  CHECK(output_of("wc -c", large) == "300000\n");
  const auto end = shell("echo out; echo err >&2");
  REQUIRE(end);
  CHECK(end->output == "out\n");
  CHECK(end->errors == "err\n");

  Command command;
  command.program = "cat";
  for (const std::size_t limit : {std::size_t{0}, std::size_t{299'999}, std::size_t{300'000}, std::size_t{300'001}}) {
    command.output_octets = limit;
    const auto cut = run_command(command, {}, base::Blob::of_octets(large));
    REQUIRE(cut);
    CHECK(cut->code == 0);
    CHECK(cut->output.size() == std::min<std::size_t>(limit, 300'000));
  }
}

TEST_CASE("command: no descriptors but 0, 1 and 2, no handlers and no mask of ours") {
  const int leaked = ::open("/dev/null", O_RDONLY);  // without close-on-exec
  CHECK(output_of("for fd in /proc/self/fd/*; do case ${fd##*/} in 0|1|2) ;; *) [ -e $fd ] && echo $fd;; esac; done; :").empty());
  ::close(leaked);
  sigset_t term, before;
  ::sigemptyset(&term);
  ::sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, &before);
  const auto old_handler = ::signal(SIGPIPE, SIG_IGN);
  // 32 and 33 are the C library's own; a parent may have left them ignored, and nobody can change that through it.
  constexpr std::uint64_t kOwn = std::uint64_t{3} << 31;
  for (const std::string what : {"Blk", "Ign"}) {
    CAPTURE(what);
    CHECK((std::stoull(output_of("sed -n 's/^Sig" + what + ":\t//p' /proc/self/status"), nullptr, 16) & ~kOwn) == 0);
  }
  ::signal(SIGPIPE, old_handler);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("command: words are not for a shell") {
  Command command;
  command.program = "printf";
  const auto end = run_command(command, std::vector<std::string>{"%s|", "$HOME", "a b", "`id`", ";", ""}, {});
  REQUIRE(end);
  CHECK(end->output == "$HOME|a b|`id`|;||");
}

TEST_CASE("command: what cannot be started") {
  Command command;
  command.program = "/nonexistent/program";
  CHECK(run_command(command, {}, {}).error().cause == "exec /nonexistent/program: No such file or directory");
  command.program = "no-such-program-anywhere";
  CHECK(run_command(command, {}, {}).error().cause == "exec no-such-program-anywhere: No such file or directory");
  command.program = "/etc/passwd";
  CHECK(run_command(command, {}, {}).error().cause == "exec /etc/passwd: Permission denied");
  // A text without #! is not given to a shell.
  char path[] = "/tmp/command_test.XXXXXX";
  const int fd = ::mkstemp(path);
  CHECK(::write(fd, "exit 0\n", 7) == 7);
  ::fchmod(fd, 0700);
  ::close(fd);
  command.program = path;
  CHECK(run_command(command, {}, {}).error().cause == "exec " + command.program + ": Exec format error");
  ::unlink(path);
  command.program = "true";
  command.user = "no such user";
  CHECK(run_command(command, {}, {}).error().cause == "user not found: 'no such user'");
  command.user.reset();
  command.group = "no such group";
  CHECK(run_command(command, {}, {}).error().cause == "group not found: 'no such group'");
}

TEST_CASE("command: as another user") {
  Command command;
  command.program = "sh";
  const std::vector<std::string> arguments{"-c", "echo $(id -u) $(id -g) $(id -G)"};
  command.user = "nobody";
  const auto end = run_command(command, arguments, {});
  if (::geteuid() != 0) {
    CHECK_FALSE(end);
    return;
  }
  REQUIRE(end);
  CHECK(end->output == "65534 65534 65534\n");
  command.group = "daemon";
  CHECK(run_command(command, arguments, {})->output == "65534 1 1\n");
  command.user.reset();
  CHECK(run_command(command, arguments, {})->output == "0 1 1\n");
  CHECK(::geteuid() == 0);
}

TEST_CASE("command: many threads at once") {
  std::vector<std::thread> threads;
  std::array<bool, 8> is_right{};
  for (std::size_t i = 0; i < is_right.size(); ++i)
    threads.emplace_back([i, &is_right] {
      is_right[i] = true;
      for (int n = 0; n < 10; ++n) {
        const auto end = shell("exit " + std::to_string(i));
        is_right[i] = is_right[i] && end && end->code == static_cast<int>(i);
      }
    });
  for (auto& thread : threads) thread.join();
  for (const bool right : is_right) CHECK(right);
}
