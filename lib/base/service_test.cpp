#include "lib/base/service.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "lib/base/unique_fd.h"

namespace service = base::service;

namespace {

// As systemd listens.
struct Listener {
  base::UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::string name;
  explicit Listener(const std::string& the_name) : name(the_name) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    const bool is_abstract = name[0] == '@';
    if (is_abstract) address.sun_path[0] = '\0';
    ::unlink(name.c_str());
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (is_abstract ? 0 : 1))) == 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Listener() {
    if (name[0] != '@') ::unlink(name.c_str());
    service::forget();
  }
  Listener(const Listener&) = delete;
  [[nodiscard]] std::string heard() const {
    std::array<char, 1000> buffer{};
    const auto got = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got < 0 ? std::string("nothing") : std::string(buffer.data(), static_cast<std::size_t>(got));
  }
};

}  // namespace

TEST_CASE("a service says what it does on the socket of systemd, by path or abstract, and takes the environment for itself") {
  for (const auto& name : {"/tmp/vsmtp-notify." + std::to_string(::getpid()), "@vsmtp-notify." + std::to_string(::getpid())}) {
    CAPTURE(name);
    const Listener systemd(name);
    ::setenv("WATCHDOG_USEC", "3000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    REQUIRE(service::configure(""));
    CHECK(std::getenv("NOTIFY_SOCKET") == nullptr);
    CHECK(std::getenv("WATCHDOG_USEC") == nullptr);
    CHECK(service::watchdog_milliseconds() == 1500);
    service::ready();
    CHECK(systemd.heard() == "READY=1\nMAINPID=" + std::to_string(::getpid()) + "\n");
    service::reloading();
    CHECK(systemd.heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    service::status("a\nREADY=0");
    CHECK(systemd.heard().find("\nREADY=0") == std::string::npos);
    service::alive();
    CHECK(systemd.heard() == "WATCHDOG=1\n");
    service::stopping();
    CHECK(systemd.heard() == "STOPPING=1\n");
    service::restore_environment();
    CHECK(std::getenv("NOTIFY_SOCKET") == name);
    service::forget();
    service::ready();
    CHECK(systemd.heard() == "nothing");
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }
}

TEST_CASE("a service that is ready says so once to s6, and closes the descriptor") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const base::UniqueFd reader(ends[0]);
  REQUIRE(service::configure(std::to_string(ends[1])));
  service::ready();
  service::ready();
  std::array<char, 10> buffer{};
  CHECK(::read(reader.get(), buffer.data(), buffer.size()) == 1);
  CHECK(buffer[0] == '\n');
  CHECK(::read(reader.get(), buffer.data(), buffer.size()) == 0);
  service::forget();
  for (const auto* wrong : {"x", "-1", "987654"}) CHECK_FALSE(service::configure(wrong));
}

TEST_CASE("a watchdog of another process is none of ours") {
  const Listener systemd("@vsmtp-notify-2." + std::to_string(::getpid()));
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  REQUIRE(service::configure(""));
  CHECK(service::watchdog_milliseconds() == 0);
}
