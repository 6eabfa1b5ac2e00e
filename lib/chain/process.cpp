#include "lib/chain/process.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <vector>

#include "lib/chain/spawn.h"

namespace chain {
namespace {

constexpr int kMessage = 0, kEnvelope = 1, kContext = 3, kReport = 6, kDeliveryReport = 1;
constexpr int kReadsAtOnce = 4;
constexpr int kReadsAtTheEnd = 100;  // more than a pipe holds; bounded, since children that go on may write for ever
constexpr std::size_t kKeptReportOctets = 65537;  // one more than read_outcome() takes, so that it sees that there was more
constexpr std::size_t kKeptDeliveryReportOctets = 16 << 20;  // a text for each of many recipients

base::Result<base::UniqueFd> file_of(std::string_view octets, const char* name) {
  auto file = base::memory_file(name);
  if (!file) return file;
  if (const auto written = base::pwrite_all(file->get(), octets, 0); !written) return std::unexpected(written.error());
  return above_interface(std::move(*file));
}

struct Pipe {
  base::UniqueFd read_end, write_end;
};

base::Result<Pipe> new_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno("pipe");
  Pipe pipe{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
  auto write_end = above_interface(std::move(pipe.write_end));
  if (!write_end) return std::unexpected(write_end.error());
  pipe.write_end = std::move(*write_end);
  return pipe;
}

base::Result<void> place(Descriptors& descriptors, const Call& call, base::UniqueFd report) {
  auto message = call.message.as_descriptor();
  if (message) message = above_interface(std::move(*message));
  if (!message) return std::unexpected(message.error());
  descriptors.put(std::move(*message), kMessage);
  if (!call.context.empty()) {
    auto context = file_of(call.context, "context");
    if (!context) return std::unexpected(context.error());
    descriptors.put(std::move(*context), kContext);
  }
  if (call.kind == Kind::Delivery) {
    descriptors.put(std::move(report), kDeliveryReport);
    return {};
  }
  auto envelope = file_of(call.envelope, "envelope");
  if (!envelope) return std::unexpected(envelope.error());
  descriptors.put(std::move(*envelope), kEnvelope);
  descriptors.put(std::move(report), kReport);
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Process>> Process::start(net::Loop& loop, WordsView words, const Call& call, OnEnd on_end) {
  auto pipe = new_pipe();
  if (!pipe) return std::unexpected(pipe.error());
  Descriptors descriptors;
  if (const auto placed = place(descriptors, call, std::move(pipe->write_end)); !placed) return std::unexpected(placed.error());
  const auto pid = spawn(words, call.environment, descriptors);
  if (!pid) return std::unexpected(pid.error());
  base::UniqueFd handle = handle_of(*pid);
  if (!handle.is_open()) {  // out of descriptors: a program that cannot be watched must not go on
    const auto error = base::fail_errno("pidfd_open");
    ::kill(-*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return error;
  }
  const std::size_t limit = call.kind == Kind::Delivery ? kKeptDeliveryReportOctets : kKeptReportOctets;
  return std::unique_ptr<Process>(new Process(loop, *pid, std::move(handle), std::move(pipe->read_end), limit, std::move(on_end)));
}

Process::Process(net::Loop& loop, pid_t pid, base::UniqueFd handle, base::UniqueFd report, std::size_t report_limit, OnEnd on_end)
    : loop_(loop),
      pid_(pid),
      handle_(std::move(handle)),
      report_pipe_(std::move(report)),
      report_limit_(report_limit),
      on_end_(std::move(on_end)),
      end_watch_(loop, handle_.get(), [this](unsigned) { reap(); }),
      report_watch_(loop, report_pipe_.get(), [this](unsigned) { read_report(kReadsAtOnce); }) {
  end_watch_.want(net::Watch::Readable);
  report_watch_.want(net::Watch::Readable);
  // The time limits of open calls hold the loop; a program in which nobody is interested any more does not.
  end_watch_.hold_loop(false);
  report_watch_.hold_loop(false);
}

Process::~Process() = default;

// A program that writes more than anybody wants is read on, so that it can come to its end.
void Process::read_report(int times) {
  std::array<char, 16384> buffer;
  while (times-- > 0) {
    const auto n = ::read(report_pipe_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) report_watch_.want(net::Watch::None);
    if (n <= 0) return;
    const std::size_t room = report_limit_ - report_.size();
    report_.append(buffer.data(), std::min(static_cast<std::size_t>(n), room));
  }
}

// The end of the process counts, not the end of the pipe: children that it left behind may hold that for ever.
void Process::reap() {
  // While it is not reaped its number belongs to nobody else, so this hits its own group.
  if (is_killed_) ::kill(-pid_, SIGKILL);
  siginfo_t info = {};
  if (::waitid(P_PIDFD, static_cast<id_t>(handle_.get()), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return;
  read_report(kReadsAtTheEnd);
  ProcessEnd end;
  if (info.si_code == CLD_EXITED) {
    end.exit_code = info.si_status;
  } else {
    end.signal = info.si_status;
  }
  end.report = std::move(report_);
  end_watch_.want(net::Watch::None);
  report_watch_.want(net::Watch::None);
  const OnEnd on_end = std::move(on_end_);  // we may be destroyed in it
  on_end(std::move(end));
}

void Process::kill(std::uint64_t grace_milliseconds) {
  if (is_killed_) return;
  is_killed_ = true;
  ::kill(-pid_, SIGTERM);
  grace_ = std::make_unique<net::Timer>(loop_, [this] { ::kill(-pid_, SIGKILL); });
  grace_->start(grace_milliseconds);
  end_watch_.hold_loop(true);
}

}  // namespace chain
