#include "lib/base/service.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/unique_fd.h"

namespace base::service {
namespace {

struct Manager {
  std::string socket_name, watchdog_text;  // as they were in the environment
  UniqueFd socket, descriptor;
  std::uint64_t watchdog = 0;  // milliseconds
};
Manager& manager() {
  static Manager the_manager;
  return the_manager;
}

std::string taken(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value != nullptr ? value : "";
  ::unsetenv(name);
  return text;
}

// "/run/systemd/notify", or "@name" in the abstract namespace.
Result<UniqueFd> connect_to(const std::string& name) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if ((name[0] != '/' && name[0] != '@') || name.size() >= sizeof address.sun_path) return fail(Fault::Usage, "NOTIFY_SOCKET=" + text::printable(name) + ": expected: a path or @NAME");
  std::memcpy(address.sun_path, name.data(), name.size());
  const bool is_abstract = name[0] == '@';
  if (is_abstract) address.sun_path[0] = '\0';
  const auto length = offsetof(sockaddr_un, sun_path) + name.size() + (is_abstract ? 0 : 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail_errno("socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)) != 0) return fail_errno("connect NOTIFY_SOCKET " + name);
  return socket;
}

void tell(std::string_view text) {
  if (!manager().socket.is_open()) return;
  // A manager that does not read must not stop the mail.
  (void)::send(manager().socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

std::uint64_t monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

Result<void> configure(std::string_view descriptor) {
  Manager& own = manager();
  own.socket_name = taken("NOTIFY_SOCKET");
  own.watchdog_text = taken("WATCHDOG_USEC");
  const auto watchdog_pid = taken("WATCHDOG_PID");
  if (!own.socket_name.empty()) {
    auto socket = connect_to(own.socket_name);
    // The mail goes on: a manager that is not there waits for nothing.
    if (socket) own.socket = std::move(*socket);
    else log::warning("no service manager", {{"cause", socket.error().cause}});
    const bool is_for_us = watchdog_pid.empty() || text::parse_number<pid_t>(watchdog_pid) == ::getpid();
    own.watchdog = is_for_us ? text::parse_number<std::uint64_t>(own.watchdog_text).value_or(0) / 1000 : 0;
  }
  if (!descriptor.empty()) {
    const auto number = text::parse_number<int>(descriptor);
    if (!number || *number < 0 || ::fcntl(*number, F_SETFD, FD_CLOEXEC) != 0)
      return fail(Fault::Usage, "--notify-fd " + text::printable(descriptor) + ": expected: the number of an open descriptor");
    own.descriptor = UniqueFd(*number);
  }
  return {};
}

void restore_environment() {
  const Manager& own = manager();
  if (own.socket_name.empty()) return;
  ::setenv("NOTIFY_SOCKET", own.socket_name.c_str(), 1);
  if (own.watchdog > 0) ::setenv("WATCHDOG_USEC", own.watchdog_text.c_str(), 1);
}

void forget() { manager() = Manager(); }

void ready() {
  Manager& own = manager();
  tell("READY=1\nMAINPID=" + std::to_string(::getpid()) + "\n");
  if (!own.descriptor.is_open()) return;
  (void)write_all(own.descriptor.get(), "\n");
  own.descriptor.reset();
}

void reloading() { tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_microseconds()) + "\n"); }
void stopping() { tell("STOPPING=1\n"); }
void status(std::string_view text) { tell("STATUS=" + text::printable(text) + "\n"); }
std::uint64_t watchdog_milliseconds() { return manager().socket.is_open() ? manager().watchdog / 2 : 0; }
void alive() { tell("WATCHDOG=1\n"); }

}  // namespace base::service
