#include "lib/chain/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/chain/command_start.h"

namespace chain {
namespace {

constexpr int kReadsAtTheEnd = 100;  // more than a pipe holds; bounded, since children that go on may write for ever

// Above those that the child gets.
base::Result<base::UniqueFd> above_childs(base::UniqueFd fd) {
  constexpr int kSecret = STDERR_FILENO + 1;
  if (fd.get() > kSecret) return fd;
  base::UniqueFd higher(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kSecret + 1));
  if (!higher.is_open()) return base::fail_errno("dup");
  return higher;
}

base::Result<base::UniqueFd> descriptor_of(const base::Blob& input) {
  auto fd = input.size() == 0 ? base::open_file("/dev/null", O_RDONLY) : input.as_descriptor();
  if (!fd) return fd;
  return above_childs(std::move(*fd));
}

// The reading end of a pipe that holds it. Not a file: it is gone when it was read.
base::Result<base::UniqueFd> descriptor_of(const std::string& secret) {
  if (secret.empty()) return base::UniqueFd();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno("pipe");
  base::UniqueFd read_end(ends[0]), write_end(ends[1]);
  ::fcntl(write_end.get(), F_SETFL, O_NONBLOCK);  // nobody reads yet
  if (const auto written = base::write_all(write_end.get(), secret); !written) return std::unexpected(written.error());
  return above_childs(std::move(read_end));
}

// One of the two streams that a program writes.
class Stream {
 public:
  explicit Stream(std::size_t limit) : limit_(limit) {}

  base::Result<void> open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno("pipe");
    read_end_.reset(ends[0]);
    auto write_end = above_childs(base::UniqueFd(ends[1]));
    if (!write_end) return std::unexpected(write_end.error());
    write_end_ = std::move(*write_end);
    ::fcntl(read_end_.get(), F_SETFL, O_NONBLOCK);
    return {};
  }
  [[nodiscard]] int write_end() const { return write_end_.get(); }
  void close_write_end() { write_end_.reset(); }
  [[nodiscard]] pollfd wanted() const { return {read_end_.get(), POLLIN, 0}; }  // poll(2) passes over descriptor -1

  void read(int times) {
    std::array<char, 16384> buffer;
    while (times-- > 0 && read_end_.is_open()) {
      const auto n = ::read(read_end_.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) return read_end_.reset();
      kept_.append(buffer.data(), std::min(static_cast<std::size_t>(n), limit_ - kept_.size()));
    }
  }
  std::string take() { return std::move(kept_); }

 private:
  std::size_t limit_;
  base::UniqueFd read_end_, write_end_;
  std::string kept_;
};

// Milliseconds for poll(2).
int time_left(std::uint64_t deadline) {
  const auto now = base::monotonic_milliseconds();
  return deadline > now ? static_cast<int>(std::min<std::uint64_t>(deadline - now, 3'600'000)) : 0;
}

// Until the process has ended: the end of the pipes does not count, children may hold those for ever.
void watch(pid_t pid, int handle, std::uint64_t deadline, Stream& output, Stream& errors) {
  bool is_killed = false;
  for (;;) {
    pollfd wanted[] = {{handle, POLLIN, 0}, output.wanted(), errors.wanted()};
    const int ready = ::poll(wanted, 3, is_killed ? -1 : time_left(deadline));
    if (ready < 0 && errno != EINTR) return;
    output.read(1);
    errors.read(1);
    if (ready > 0 && wanted[0].revents != 0) return;
    if (is_killed || base::monotonic_milliseconds() < deadline) continue;
    ::kill(-pid, SIGKILL);  // not reaped yet: the group is its own
    is_killed = true;
  }
}

}  // namespace

base::Result<CommandEnd> run_command(const Command& command, std::span<const std::string> arguments, const base::Blob& input) {
  const auto identity = find_identity(command);
  if (!identity) return std::unexpected(identity.error());
  const auto message = descriptor_of(input);
  if (!message) return std::unexpected(message.error());
  const auto secret = descriptor_of(command.secret);
  if (!secret) return std::unexpected(secret.error());
  Stream output(command.output_octets), errors(command.output_octets);
  for (Stream* stream : {&output, &errors})
    if (const auto opened = stream->open(); !opened) return std::unexpected(opened.error());

  const auto deadline = base::monotonic_milliseconds() + static_cast<std::uint64_t>(command.timeout.count());
  const std::array descriptors{message->get(), output.write_end(), errors.write_end(), secret->get()};
  const auto pid = start_process(command, arguments, *identity, std::span(descriptors).first(secret->is_open() ? 4 : 3));
  if (!pid) return std::unexpected(pid.error());
  output.close_write_end();
  errors.close_write_end();
  // By number: glibc 2.36 declares its wrapper without extern "C".
  const base::UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  base::Result<void> watched;
  if (handle.is_open()) {
    watch(*pid, handle.get(), deadline, output, errors);
  } else {  // out of descriptors: a program that cannot be watched must not go on
    watched = base::fail_errno("pidfd_open");
    ::kill(-*pid, SIGKILL);
  }
  siginfo_t info = {};
  while (::waitid(P_PID, static_cast<id_t>(*pid), &info, WEXITED) != 0)
    if (errno != EINTR) return base::fail_errno("wait for " + command.program);
  if (!watched) return std::unexpected(watched.error());
  output.read(kReadsAtTheEnd);
  errors.read(kReadsAtTheEnd);
  CommandEnd end{{}, {}, output.take(), errors.take()};
  (info.si_code == CLD_EXITED ? end.code : end.signal) = info.si_status;
  return end;
}

}  // namespace chain
