// serve_once() and serve_delivery(): one call on this process's own descriptors.
#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>

#include "lib/base/io.h"
#include "lib/chain/caller.h"
#include "lib/chain/delivery_call.h"
#include "lib/chain/environment.h"
#include "lib/chain/message_call.h"

namespace chain {
namespace {

constexpr int kMessage = 0, kEnvelope = 1, kContext = 3, kReport = 6, kDeliveryReport = 1;
constexpr int kExitCannotRead = 54;  // qmail-queue(8)
constexpr std::size_t kMaxEnvelopeOctets = 64 << 20;
constexpr std::size_t kMaxContextOctets = 64 << 20;

// Whether the caller gave us this descriptor. Whatever we opened ourselves since is close-on-exec, and may have got a
// number of the interface when the caller left that closed.
bool is_given(int fd) {
  const int flags = ::fcntl(fd, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

// The context may be a file or a pipe. Something else there belongs to a caller that does not know of descriptor 3.
bool has_context() {
  struct stat status;
  if (!is_given(kContext) || ::fstat(kContext, &status) != 0) return false;
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) return false;
  return (::fcntl(kContext, F_GETFL) & O_ACCMODE) != O_WRONLY;
}

// A file from its start, wherever the program before us left it; a pipe to its end.
base::Result<std::string> read_whole(int fd, std::string_view what, std::size_t limit_octets) {
  if (!is_given(fd)) return base::fail(base::Fault::Temporary, std::string(what) + ": descriptor " + std::to_string(fd) + " is closed");
  // Asked before the rewind: by hand, standard output may be a file that others write to.
  if ((::fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY)
    return base::fail(base::Fault::Temporary, std::string(what) + ": descriptor " + std::to_string(fd) + " is not open for reading");
  (void)::lseek(fd, 0, SEEK_SET);
  auto octets = base::read_all(fd, limit_octets);
  if (!octets) return base::fail_within(what, octets.error());
  return octets;
}

base::Result<base::Blob> read_message(std::uint64_t limit_octets) {
  if (!is_given(kMessage)) return base::fail(base::Fault::Temporary, "message: descriptor 0 is closed");
  return base::Blob::of_descriptor(kMessage, limit_octets);
}

base::Result<void> read_context(Call& call) {
  if (!has_context()) return {};
  auto context = read_whole(kContext, "context", kMaxContextOctets);
  if (!context) return std::unexpected(context.error());
  call.context = std::move(*context);
  return {};
}

base::Result<void> read_call(Call& call, std::uint64_t message_limit_octets) {
  call.kind = Kind::Message;
  call.environment = interface_environment();
  auto message = read_message(message_limit_octets);
  if (!message) return std::unexpected(message.error());
  call.message = std::move(*message);
  auto envelope = read_whole(kEnvelope, "envelope", kMaxEnvelopeOctets);
  if (!envelope) return std::unexpected(envelope.error());
  call.envelope = std::move(*envelope);
  return read_context(call);
}

// To a reader that may have gone: that is no reason to die before the exit code is given.
void write_report(int fd, std::string_view report) {
  if (report.empty() || !is_given(fd)) return;
  ::signal(SIGPIPE, SIG_IGN);
  (void)base::write_all(fd, report);
}

// A caller that does not know of descriptor 6 (a plain qmail-queue call) would not know 82 either.
int exit_code_without_report(const Answer& answer) {
  if (answer.exit_code != base::kExitAsReported) return answer.exit_code;
  return base::exit_row(answer.report.starts_with('D') ? base::Fault::Permanent : base::Fault::Temporary).in_chain;
}

int end_with(const Answer& answer) {
  if (!is_given(kReport)) return exit_code_without_report(answer);
  write_report(kReport, answer.report);
  return answer.exit_code;
}

int end_with(std::string_view program, const base::Error& error, int exit_code) {
  base::report(program, error);
  return exit_code;
}

base::Result<void> place(base::UniqueFd file, int at) {
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return base::fail_errno("lseek");
  if (file.get() == at) {  // it happened to get the right number
    if (::fcntl(file.release(), F_SETFD, 0) != 0) return base::fail_errno("fcntl");
    return {};
  }
  if (::dup2(file.get(), at) != at) return base::fail_errno("dup2");
  return {};
}

base::Result<void> place(const std::string& octets, int at) {
  auto file = base::memory_file("chain");
  if (!file) return std::unexpected(file.error());
  if (const auto written = base::write_all(file->get(), octets); !written) return written;
  return place(std::move(*file), at);
}

// What is there already and has not changed is only rewound; a pipe has been read to its end and is put there anew.
bool can_stay(int fd, bool has_changed) { return !has_changed && is_given(fd) && ::lseek(fd, 0, SEEK_SET) == 0; }

base::Result<void> place_call(const Call& call, const Answer& changes) {
  if (!can_stay(kMessage, changes.message.has_value())) {
    auto file = call.message.as_descriptor();
    if (!file) return std::unexpected(file.error());
    if (const auto placed = place(std::move(*file), kMessage); !placed) return placed;
  }
  if (!can_stay(kEnvelope, changes.envelope.has_value()))
    if (const auto placed = place(call.envelope, kEnvelope); !placed) return placed;
  if (!call.context.empty() && !can_stay(kContext, changes.context.has_value()))
    if (const auto placed = place(call.context, kContext); !placed) return placed;
  return {};
}

int exec_next(std::string_view program, const Words& next) {
  std::vector<char*> arguments;
  for (const auto& word : next) arguments.push_back(const_cast<char*>(word.c_str()));  // execve(2) takes char*
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const auto error = base::fail_errno("exec " + next.front(), base::Fault::Config).error();
  return base::report_in_chain(program, error);
}

// A resident program cannot be exec'd: we make the call and hand on what it says.
int call_next(std::string_view program, const Words& next, Call call) {
  const Outcome outcome = call_and_wait(next, std::move(call), {});
  if (!outcome.cause.empty()) base::report(program, {base::Fault::Temporary, outcome.cause});
  // A report that is garbage stays here: 82 or 0 would claim that it says something.
  const bool claims_more = base::outcome_of(outcome.exit_code) != base::Outcome::Temporary;
  if (outcome.result == Outcome::Class::Temporary && outcome.reply.empty() && claims_more) return base::exit_row(base::Fault::Temporary).in_chain;
  Answer answer = Answer::exit(outcome.exit_code);
  answer.report = outcome.report;
  return end_with(answer);
}

int pass_on(std::string_view program, const Words& next, Call call, Answer changes) {
  if (first_link(next).program.empty()) return base::report_in_chain(program, {base::Fault::Usage, "no program behind -- to pass the message to"});
  if (changes.message) call.message = *changes.message;
  if (changes.envelope) call.envelope = *changes.envelope;
  if (changes.context) call.context = *changes.context;
  if (is_resident(next.front())) return call_next(program, next, std::move(call));
  if (const auto placed = place_call(call, changes); !placed) return base::report_in_chain(program, placed.error());
  return exec_next(program, next);
}

}  // namespace

int serve_once(std::string_view program, Words arguments, Words next, std::uint64_t message_limit_octets, const Handler& handler) {
  Invocation invocation;
  invocation.arguments = std::move(arguments);
  invocation.next = std::move(next);
  if (const auto read = read_call(invocation.call, message_limit_octets); !read) {
    if (read.error().fault == base::Fault::Permanent)  // the only way in which reading fails for good
      return end_with(Answer::as_reported(base::Fault::Permanent, "552 5.3.4 " + read.error().cause));
    return end_with(program, read.error(), kExitCannotRead);
  }
  Answer answer = handler(invocation);
  if (!answer.passes) return end_with(answer);
  return pass_on(program, invocation.next, std::move(invocation.call), std::move(answer));
}

int serve_delivery(std::string_view program, Words arguments, std::uint64_t message_limit_octets, const Handler& handler) {
  if (const auto call = parse_delivery_call(arguments); !call) return base::report_in_chain(program, call.error());
  Invocation invocation;
  invocation.call.kind = Kind::Delivery;
  invocation.call.environment = interface_environment();
  invocation.arguments = std::move(arguments);
  auto message = read_message(message_limit_octets);
  if (!message) {
    base::report(program, message.error());
    write_report(kDeliveryReport, to_octets(DeliveryReport::for_all(0, Outcome::Class::Temporary, "cannot read the message")));
    return 0;
  }
  invocation.call.message = std::move(*message);
  if (const auto read = read_context(invocation.call); !read) {
    base::report(program, read.error());
    write_report(kDeliveryReport, to_octets(DeliveryReport::for_all(0, Outcome::Class::Temporary, "cannot read the context")));
    return 0;
  }
  const Answer answer = handler(invocation);
  write_report(kDeliveryReport, answer.report);
  return answer.exit_code;
}

}  // namespace chain
