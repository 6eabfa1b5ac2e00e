#include "lib/base/sandbox.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

namespace {

// The locks cannot be opened again: each look is taken by a process of its own, which says what it saw by its exit code.
template <class Look>
int inside(const base::Sandbox& sandbox, Look look) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, STDERR_FILENO);  // refusals are told there
    const auto shut = base::shut_in(sandbox);
    ::_exit(!shut ? 100 : look(*shut));
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct Folder {
  std::string path = "/tmp/vsmtp-sandbox.XXXXXX";
  Folder() {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    for (const char* name : {"/read", "/write", "/other"}) {
      std::filesystem::create_directory(path + name);
      std::ofstream(path + name + "/file") << "x";
    }
  }
  Folder(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
};

// errno of an open(2) that fails, 0 of one that does not.
int opening(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags, 0600);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

int connecting(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  ::close(fd);
  return result;
}

}  // namespace

TEST_CASE("a sandbox leaves the files that are named, as they are named") {
  const Folder folder;
  base::Sandbox sandbox;
  sandbox.readable = {folder.path + "/read", folder.path + "/is-not-there"};
  sandbox.writable = {folder.path + "/write"};
  const int code = inside(sandbox, [&](const base::Shut& shut) {
    if (shut.landlock == 0) return 77;
    if (opening(folder.path + "/read/file", O_RDONLY) != 0) return 1;
    if (opening(folder.path + "/read/file", O_WRONLY) != EACCES) return 2;
    if (opening(folder.path + "/read/new", O_WRONLY | O_CREAT) != EACCES) return 3;
    if (opening(folder.path + "/write/file", O_RDWR | O_TRUNC) != 0) return 4;
    if (opening(folder.path + "/write/new", O_WRONLY | O_CREAT) != 0) return 5;
    if (::rename((folder.path + "/write/new").c_str(), (folder.path + "/write/newer").c_str()) != 0) return 6;
    if (::unlink((folder.path + "/write/newer").c_str()) != 0) return 7;
    if (opening(folder.path + "/other/file", O_RDONLY) != EACCES) return 8;
    if (opening("/etc/passwd", O_RDONLY) != EACCES) return 9;
    return 0;
  });
  if (code == 77) return;  // nothing to see with such a kernel
  CHECK(code == 0);
}

TEST_CASE("a sandbox leaves the TCP ports that are named") {
  base::Sandbox sandbox;
  sandbox.limits_tcp = true;
  sandbox.ports = {1};
  const int code = inside(sandbox, [](const base::Shut& shut) {
    if (shut.landlock < 4) return 77;
    if (connecting(1) != ECONNREFUSED) return 1;
    if (connecting(2) != EACCES) return 2;
    return 0;
  });
  if (code == 77) return;
  CHECK(code == 0);
}

TEST_CASE("a sandbox starts no programs, makes no executable memory, signals nobody, and says EPERM") {
  const pid_t parent = ::getpid();
  const int code = inside({}, [&](const base::Shut& shut) {
    if (!shut.filters_calls) return 77;
    char* none[] = {nullptr};
    if (::execve("/bin/true", none, none) != -1 || errno != EPERM) return 1;
    if (::fork() != -1 || errno != EPERM) return 2;
    if (::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) return 3;
    if (::kill(parent, 0) != -1 || errno != EPERM) return 4;
    if (::socket(AF_NETLINK, SOCK_RAW, 0) != -1 || errno != EPERM) return 5;
    if (::setuid(::getuid()) != -1 || errno != EPERM) return 6;
    const rlimit limit = {1, 1};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != -1 || errno != EPERM) return 7;
    rlimit now;
    if (::getrlimit(RLIMIT_NOFILE, &now) != 0) return 8;
    bool has_run = false;
    std::thread([&] { has_run = ::fork() == -1 && errno == EPERM; }).join();  // threads are made, and are inside too
    return has_run ? 0 : 9;
  });
  if (code == 77) return;
  CHECK(code == 0);
}

TEST_CASE("in a sandbox abort is still the end") {
  const auto end = [](const base::Shut&) -> int {
    ::signal(SIGABRT, SIG_DFL);  // not doctest's
    ::abort();
  };
  CHECK(inside({}, end) == 128 + SIGABRT);
}
