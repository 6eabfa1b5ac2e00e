#include "smtpd/handover.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/base/text.h"

namespace smtpd {
namespace {

// "by=PID", "try", "board=FD", "old=PID:SLOT", "socket=FD,SERVICE,ADDRESS as it was asked for", with a blank between two.
constexpr const char* kVariable = "VSMTP_HANDOVER";

std::string text_of(const std::vector<ListeningSocket>& sockets, const base::UniqueFd& board, const std::string& old_workers, bool is_trial) {
  std::string text = "by=" + std::to_string(::getpid()) + (is_trial ? " try" : "") + " board=" + std::to_string(board.get());
  for (const auto word : base::text::split(old_workers, ' '))
    if (!word.empty()) text += " old=" + std::string(word);
  for (const auto& socket : sockets) text += " socket=" + std::to_string(socket.fd.get()) + "," + std::string(kServiceNames[index(socket.service)]) + "," + socket.asked_for;
  return text;
}

base::UniqueFd descriptor_of(std::string_view text) {
  const auto number = base::text::parse_number<int>(text);
  if (!number || *number < 3 || ::fcntl(*number, F_SETFD, FD_CLOEXEC) != 0) return {};
  return base::UniqueFd(*number);
}

std::vector<int> all_of(const std::vector<ListeningSocket>& sockets, const base::UniqueFd& board) {
  std::vector<int> all = {board.get()};
  for (const auto& socket : sockets) all.push_back(socket.fd.get());
  return all;
}

void set_close_on_exec(const std::vector<int>& descriptors, bool closes) {
  for (const int fd : descriptors) (void)::fcntl(fd, F_SETFD, closes ? FD_CLOEXEC : 0);
}

}  // namespace

Handover Handover::take() {
  Handover handover;
  const char* const value = std::getenv(kVariable);
  const std::string text = value != nullptr ? value : "";
  ::unsetenv(kVariable);
  pid_t by = 0;
  for (const auto word : base::text::split(text, ' ')) {
    const auto [what, rest] = base::text::split_once(word, '=');
    if (what == "by") by = base::text::parse_number<pid_t>(rest).value_or(0);
    if (what == "try") handover.is_trial = true;
    // Of somebody else, whose descriptors these are not.
    if (by != ::getpid() && by != ::getppid()) continue;
    handover.is_given = true;
    if (what == "board") handover.board = descriptor_of(rest);
    if (what == "old") handover.old_workers += (handover.old_workers.empty() ? "" : " ") + std::string(rest);
    if (what != "socket") continue;
    const auto [fd, behind] = base::text::split_once(rest, ',');
    const auto [service, address] = base::text::split_once(behind, ',');
    if (auto socket = descriptor_of(fd); socket.is_open()) handover.sockets.push_back({std::move(socket), service_named(service, Service::Smtp), std::string(address)});
  }
  return handover;
}

pid_t try_successor(char** argv, const std::vector<ListeningSocket>& sockets, const base::UniqueFd& board) {
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
  std::string handover = std::string(kVariable) + "=" + text_of(sockets, board, "", true);
  environment.push_back(handover.data());
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  for (const int fd : all_of(sockets, board)) ::posix_spawn_file_actions_adddup2(&actions, fd, fd);  // takes close-on-exec away there
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int wrong = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (wrong == 0) return pid;
  base::log::error("cannot start", {{"program", argv[0]}, {"cause", std::strerror(wrong)}});
  return 0;
}

void succeed(char** argv, const std::vector<ListeningSocket>& sockets, const base::UniqueFd& board, const std::string& old_workers) {
  const auto descriptors = all_of(sockets, board);
  ::setenv(kVariable, text_of(sockets, board, old_workers, false).c_str(), 1);
  base::service::restore_environment();
  set_close_on_exec(descriptors, false);
  ::execvp(argv[0], argv);
  base::log::error("cannot become", {{"program", argv[0]}, {"cause", std::strerror(errno)}});
  set_close_on_exec(descriptors, true);
  ::unsetenv(kVariable);
  for (const auto* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC"}) ::unsetenv(name);
}

}  // namespace smtpd
