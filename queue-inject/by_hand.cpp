#include "queue-inject/by_hand.h"

#include <unistd.h>

#include <algorithm>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/chain/caller.h"
#include "lib/chain/envelope.h"
#include "queue-inject/submission.h"

using base::Fault;
using base::Result;

namespace {

// Reads no further than a line with only a dot: whoever writes it may keep the pipe, or the terminal, open.
Result<base::Blob> read_up_to_dot(int fd, std::uint64_t limit_octets, const base::BlobWriter::Limits& memory) {
  base::BlobWriter text(memory);
  std::array<char, 16384> buffer;
  std::string line;
  for (;;) {
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno("read message");
    if (n == 0) return text.finish();
    const std::string_view octets(buffer.data(), static_cast<std::size_t>(n));
    if (text.size() + octets.size() > limit_octets) return base::fail(Fault::Permanent, "message of more than " + std::to_string(limit_octets) + " octets");
    if (const auto appended = text.append(octets); !appended) return std::unexpected(appended.error());
    for (const char c : octets) {
      if (c == '\n' && (line == "." || line == ".\r")) return text.finish();
      if (c == '\n') line.clear();
      else if (line.size() < 3) line += c;
    }
  }
}

Submission submission_of(const base::CommandLine& line) {
  Submission submission;
  if (line.has("from")) submission.sender = line.text("from") == "<>" ? "" : line.text("from");
  submission.recipients = line.arguments;
  submission.recipients.insert(submission.recipients.end(), line.all("to").begin(), line.all("to").end());
  submission.reads_recipients = line.has("read-recipients");
  submission.ends_at_dot = line.has("dot");
  submission.author = current_author();
  if (line.has("full-name")) submission.author.full_name = line.text("full-name");
  submission.domain = base::server_domain(line.settings);
  submission.time = base::wall_now();
  return submission;
}

Result<chain::Call> call_of(const base::CommandLine& line, const IntakeRules& rules) {
  const auto text = line.has("dot") ? read_up_to_dot(STDIN_FILENO, rules.message_octets, rules.memory) : base::Blob::of_descriptor(STDIN_FILENO, rules.message_octets);
  if (!text) return std::unexpected(text.error());
  const auto view = text->view();
  if (!view) return std::unexpected(view.error());
  auto submitted = submit(view->octets(), submission_of(line), rules.memory);
  if (!submitted) return std::unexpected(submitted.error());
  chain::Call call;
  call.message = std::move(submitted->message);
  call.envelope = chain::to_octets(submitted->envelope);
  return call;
}

Fault fault_of(chain::Outcome::Class result) { return result == chain::Outcome::Class::Permanent ? Fault::Permanent : Fault::Temporary; }

chain::Outcome hand_over(const base::CommandLine& line, chain::Call call, const chain::Handler& inject) {
  const chain::Words words = line.has_chain ? line.chain : line.settings.words("queue.submission");
  if (!words.empty()) return chain::call_and_wait(words, std::move(call), {});
  chain::Invocation invocation;
  invocation.call = std::move(call);
  chain::Answer answer = inject(invocation);
  return chain::read_outcome(answer.exit_code, std::move(answer.report));
}

}  // namespace

bool is_by_hand(const base::CommandLine& line) {
  const auto is_given = [&line](const base::OptionRow& row) { return line.has(row.name.substr(0, row.name.find(','))); };
  return !line.arguments.empty() || std::ranges::any_of(kByHandOptions, is_given);
}

int run_by_hand(std::string_view program, const base::CommandLine& line, const IntakeRules& rules, const chain::Handler& inject) {
  auto call = call_of(line, rules);
  if (!call) return base::report(program, call.error());
  const auto outcome = hand_over(line, std::move(*call), inject);
  if (outcome.result == chain::Outcome::Class::Taken) {
    if (line.has("verbose")) (void)base::write_all(STDOUT_FILENO, outcome.reply + "\n");
    return 0;
  }
  const std::string& why = outcome.reply.empty() ? outcome.cause : outcome.reply;
  return base::report(program, {fault_of(outcome.result), why.empty() ? "the message was not taken" : why});
}
