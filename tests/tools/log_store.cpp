// log_store: puts messages into the log of a spool as a resident queue-inject does, for tests and measurements of queue-run.
//   log_store [--count N] [--batch N] [--octets N] [--segment OCTETS] [--sender S] [--context JSON] [--keep-open] SPOOL RECIPIENT...
// A {n} in a recipient or the sender is the number of the message. Prints the ids, each when it is durable. The message says its id in X-Id
// and ends in a line END. --keep-open: waits for the end of standard input with the log open, as a writer that is idle.
#include <array>
#include <csignal>

#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/text.h"
#include "lib/queue/log_writer.h"

namespace {

constexpr std::string_view kProgram = "log_store";
constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"count", "N", "messages (1)"},
    {"batch", "N", "messages that share a sync (100)"},
    {"octets", "N", "of each message, about (200)"},
    {"segment", "OCTETS", "size of a segment (64m)"},
    {"sender", "ADDRESS", "(sender@example.net)"},
    {"context", "JSON", "of each message ({})"},
    {"keep-open", "", "wait for the end of standard input at the end"},
});
const base::Manual kManual{
    .program = kProgram, .section = "1", .usage = "[OPTION...] SPOOL RECIPIENT...", .purpose = "Puts messages into the log of a spool.", .examples = "", .options = kOptions};

std::uint64_t number(const base::CommandLine& line, std::string_view option, std::uint64_t standard) {
  return base::text::parse_octets(line.text(option)).value_or(standard);
}

std::string with_number(std::string text, std::uint64_t n) {
  if (const auto at = text.find("{n}"); at != std::string::npos) text.replace(at, 3, std::to_string(n));
  return text;
}

queue::Item make_item(const base::CommandLine& line, std::uint64_t n) {
  queue::Item item;
  item.id = queue::Id::make();
  item.arrived = base::wall_now();
  item.envelope.reverse_path = line.has("sender") ? with_number(line.text("sender"), n) : "sender@example.net";
  if (line.has("context")) item.context = line.text("context");
  for (std::size_t i = 1; i < line.arguments.size(); ++i) item.envelope.recipients.push_back(with_number(line.arguments[i], n));
  return item;
}

base::Blob make_message(const queue::Id& id, std::uint64_t octets) {
  std::string text = "Subject: from the log\r\nX-Id: " + id.string() + "\r\n\r\n";
  while (text.size() + 77 < octets) text += std::string(70, 'x') + "\r\n";
  return base::Blob::of_octets(text + "END\r\n");
}

base::Result<void> store(const base::CommandLine& line) {
  auto spool = queue::Spool::open(line.arguments[0]);
  if (!spool) return std::unexpected(spool.error());
  auto log = queue::LogWriter::open(*spool, {.segment_octets = number(line, "segment", 64 << 20)});
  if (!log) return std::unexpected(log.error());
  const auto count = number(line, "count", 1), batch = number(line, "batch", 100), octets = number(line, "octets", 200);
  std::string ids;
  for (std::uint64_t n = 0; n < count; ++n) {
    queue::Item item = make_item(line, n);
    const auto message = make_message(item.id, octets);
    item.message_octets = message.size();
    if (!log->add(item, message)) return base::fail(base::Fault::Permanent, "a message that the log does not take");
    ids += item.id.string() + "\n";
    if ((n + 1) % batch != 0 && n + 1 < count) continue;
    if (const auto committed = log->commit(); !committed) return committed;
    if (const auto written = base::write_all(1, ids); !written) return written;
    ids.clear();
  }
  if (line.has("keep-open")) (void)base::read_all(0, 1 << 20);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (line->arguments.size() < 2) return base::report(kProgram, {base::Fault::Usage, "expected: SPOOL RECIPIENT..."});
  std::signal(SIGPIPE, SIG_IGN);  // the reader of the log's FIFO may be killed
  const auto stored = store(*line);
  return stored ? 0 : base::report(kProgram, stored.error());
}
