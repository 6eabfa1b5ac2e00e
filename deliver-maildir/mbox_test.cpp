#include "deliver-maildir/mbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include <csignal>

#include "deliver-maildir/test_directory.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"

using maildir::append_to_mbox;
using maildir::MboxLocks;
using maildir::Reason;

namespace {

constexpr MboxLocks kQuick{true, true, 200};

maildir::Accepted<void> append(const std::string& path, std::string_view octets, const MboxLocks& locks = kQuick, bool creates = true) {
  const mail::Segments message{octets};
  return append_to_mbox(path, {"me@example.com", "Delivered-To: you@example.org\n", message}, mail::LineEnd::Lf, locks, creates);
}

std::string without_from_lines(const std::string& path) {
  std::string out;
  std::string text = *base::read_file(path, 1 << 20);
  for (std::string_view rest = text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n') + 1);
    rest.remove_prefix(line.size());
    out += line.starts_with("From me@example.com ") ? "FROM\n" : std::string(line);
  }
  return out;
}

void put(const std::string& path, std::string_view octets) {
  const auto file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  REQUIRE(file);
  REQUIRE(base::write_all(file->get(), octets));
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

TEST_CASE("mbox: messages stand one behind the other, with an empty line between") {
  const TestDirectory directory;
  const std::string path = directory.path + "/box";
  REQUIRE(append(path, "A: 1\r\n\r\nFrom here\r\n"));
  REQUIRE(append(path, "A: 2\r\n\r\nno end"));
  CHECK(without_from_lines(path) == "FROM\nDelivered-To: you@example.org\nA: 1\n\n>From here\n\nFROM\nDelivered-To: you@example.org\nA: 2\n\nno end\n\n");
  CHECK_FALSE(exists(path + ".lock"));
  struct stat status;
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("mbox: what another program left without an empty line does not swallow a message") {
  const TestDirectory directory;
  const std::string path = directory.path + "/box";
  for (const auto& [before, between] : std::initializer_list<std::pair<std::string_view, std::string_view>>{{"half", "half\n\n"}, {"x\n", "x\n\n"}, {"x\n\n", "x\n\n"}, {"\n", "\n\n"}, {"", ""}}) {
    put(path, before);
    REQUIRE(append(path, "A: 1\n\nb\n"));
    CHECK(without_from_lines(path) == std::string(between) + "FROM\nDelivered-To: you@example.org\nA: 1\n\nb\n\n");
  }
}

TEST_CASE("mbox: a file that is not there is made, or is no mailbox") {
  const TestDirectory directory;
  const std::string path = directory.path + "/box";
  CHECK(append(path, "x\n", kQuick, false).error().reason == Reason::NoSuchMailbox);
  CHECK_FALSE(exists(path));
  CHECK(append(directory.path + "/no/box", "x\n", kQuick, true).error().fault() == base::Fault::Temporary);
  CHECK(append(path, "x\n", kQuick, true));
  CHECK(append(directory.path, "x\n").error().fault() == base::Fault::Temporary);
  CHECK(append("/dev/null", "x\n"));
}

TEST_CASE("mbox: locks of other programs are waited for") {
  const TestDirectory directory;
  const std::string path = directory.path + "/box", lock = path + ".lock";
  put(path, "old\n\n");
  put(lock, "");
  CHECK(append(path, "x\n").error().reason == Reason::MailboxLocked);
  CHECK(exists(lock));
  CHECK(append(path, "x\n", {false, true, 200}));
  // Whoever made it has died.
  const utimbuf long_ago{1'000'000'000, 1'000'000'000};
  REQUIRE(::utime(lock.c_str(), &long_ago) == 0);
  CHECK(append(path, "x\n"));
  CHECK_FALSE(exists(lock));
  // Locks of fcntl(2) are those of other processes.
  const auto file = base::open_file(path, O_RDWR);
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t other = ::fork();
  if (other == 0) {
    struct flock held = {};
    held.l_type = F_WRLCK;
    (void)::fcntl(file->get(), F_SETLK, &held);
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char c;
  REQUIRE(::read(ready[0], &c, 1) == 1);
  CHECK(append(path, "x\n").error().reason == Reason::MailboxLocked);
  CHECK(append(path, "x\n", {true, false, 200}));
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  CHECK(append(path, "x\n"));
  ::close(ready[0]);
  ::close(ready[1]);
}
