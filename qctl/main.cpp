// qctl: look at the spool and steer it. See qctl(8).
#include <algorithm>
#include <array>
#include <csignal>

#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/text.h"
#include "lib/broker/address.h"
#include "qctl/broker.h"
#include "qctl/commands.h"
#include "qctl/vqueue.h"

namespace {
constexpr std::string_view kProgram = "qctl";

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"queue,q", "QUEUE", "only messages of this queue; quarantine is all of them"},
    {"sender", "ADDRESS", "only messages of this sender; <> is the null reverse-path; * and ? stand for others"},
    {"recipient", "ADDRESS", "only messages that this recipient has not got; with * and ?"},
    {"domain", "DOMAIN", "only messages that a recipient there has not got; with * and ?"},
    {"quarantine", "NAME", "only messages of this quarantine; with * and ?"},
    {"reason", "TEXT", "only messages whose last reply has this in it; with * and ?"},
    {"rule", "NAME", "only messages that this rule has set aside; with * and ?"},
    {"attempts", "N", "only messages that were tried in vain at least so many times"},
    {"subject", "TEXT", "only messages with this in their subject; with * and ?"},
    {"header", "FIELD:TEXT", "only messages with a field of that name that has this in it"},
    {"older", "TIME", "only messages that arrived longer ago, such as 2h or 5d"},
    {"newer", "TIME", "only messages that arrived since"},
    {"larger", "OCTETS", "only messages of more octets, such as 200k or 5m"},
    {"smaller", "OCTETS", "only messages of fewer octets"},
    {"all", "", "move, hold, release, retry, remove: all that are where the command takes from"},
    {"format", "FORMAT", "export: json, mbox or raw, the message alone [json]"},
    {"directory", "FOLDER", "export: a file for each message there; dkim-key: where the key goes"},
    {"ed25519", "", "dkim-key: an Ed25519 key (RFC 8463) instead of RSA"},
    {"bits", "N", "dkim-key: of an RSA key, 1024 to 4096 [2048]"},
    {"from,f", "ADDRESS", "import: the sender; <> is the null reverse-path"},
    {"to", "ADDRESS", "import: a recipient; may be given several times"},
    {"dry-run,n", "", "say what would be done"},
    {"yes,y", "", "remove, quarantine delete, repair: do not ask"},
    {"by", "WHAT", "status: a row for each domain (of recipients), sender, helo or reason"},
    {"rows", "N", "status: at most so many rows a queue, 0 for all [20]"},
    {"html", "FILE", "report: the page; - is standard output"},
    {"title", "TEXT", "report: of the page [Mail report]"},
    {"interval", "TIME", "top: between two looks, 200ms to 1h [2s]"},
    {"empty,e", "TEXT", "status: what stands for no message [0]"},
    {"json", "", "print one JSON object a line"},
});
constexpr auto kSettings = std::to_array<std::string_view>({"queue.spool", "queue.broker_prefix", "queue.broker_password_file", "queue.broker_timeout", "queue.broker_settling", "queue.broker_message_limit", "shield.file"});

std::string usage() {
  std::string text = "[OPTION...]";
  for (const auto& command : qctl::commands()) text += "\n" + std::string(command.name) + (command.arguments.empty() ? "" : " ") + std::string(command.arguments) + " [OPTION...]";
  return text;
}

std::string purpose() {
  std::string text = "Looks at the spool and steers it.";
  for (const auto& command : qctl::commands()) {
    std::string name(command.name);
    name.resize(11, ' ');
    text += "\n  " + name + std::string(command.doc);
  }
  return text;
}

base::Result<const qctl::Command*> command_of(const base::CommandLine& line) {
  const std::string name = line.arguments.empty() ? "status" : line.arguments.front();
  const auto* command = qctl::find_command(name);
  if (command == nullptr) {
    std::string known;
    for (const auto& row : qctl::commands()) known += " " + std::string(row.name);
    return base::fail(base::Fault::Usage, "no command '" + base::text::printable(name) + "'; expected one of:" + known);
  }
  if (command->arguments.empty() && line.arguments.size() > 1)
    return base::fail(base::Fault::Usage, std::string(command->name) + " takes no arguments");
  for (const auto& option : kOptions) {
    const auto long_name = base::text::split_once(option.name, ',').first;
    if (line.has(long_name) && std::ranges::find(command->options, long_name) == command->options.end())
      return base::fail(base::Fault::Usage, "--" + std::string(long_name) + " means nothing to " + std::string(command->name));
  }
  return command;
}

// `qctl list deferred` is `qctl list --queue deferred`.
base::Result<void> read_queues(const qctl::Command& command, qctl::Session& session) {
  if (command.arguments != "[QUEUE...]") return {};
  const auto checked = qctl::Selection::check_queues(session.arguments);
  if (!checked) return checked;
  session.selection.queues.insert(session.selection.queues.end(), session.arguments.begin(), session.arguments.end());
  return {};
}

base::Result<int> run_apart(const qctl::Command& command, const base::CommandLine& line) {
  qctl::Output out(1);
  const auto exit_code = command.run_apart(line, std::span(line.arguments).subspan(1), out);
  const auto flushed = out.flush();
  if (exit_code && !flushed) return std::unexpected(flushed.error());
  return exit_code;
}

base::Result<int> run(const base::CommandLine& line) {
  const auto command = command_of(line);
  if (!command) return std::unexpected(command.error());
  if ((*command)->run_apart != nullptr) return run_apart(**command, line);
  auto selection = qctl::Selection::of(line);
  if (!selection) return std::unexpected(selection.error());
  const auto& where = line.settings.text("queue.spool");
  if (broker::is_address(where)) {
    qctl::Output out(1);
    const auto exit_code = qctl::run_on_broker(**command, line, std::move(*selection), out);
    const auto flushed = out.flush();
    if (exit_code && !flushed) return std::unexpected(flushed.error());
    return exit_code;
  }
  auto spool = queue::Spool::open(where);
  if (!spool) return std::unexpected(spool.error());

  qctl::Session session{.line = line, .arguments = {}, .spool = std::move(*spool), .out = qctl::Output(1), .selection = std::move(*selection)};
  if (!line.arguments.empty()) session.arguments.assign(line.arguments.begin() + 1, line.arguments.end());
  const auto queues = read_queues(**command, session);
  if (!queues) return std::unexpected(queues.error());
  const auto exit_code = (*command)->run(session);
  const auto flushed = session.out.flush();
  if (!exit_code) return exit_code;
  if (!flushed) return std::unexpected(flushed.error());
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // `qctl list | head` is no error, and no reason to stop half-way through a change
  const std::string usage_text = usage(), purpose_text = purpose();
  const base::Manual manual{
      .program = kProgram,
      .section = "8",
      .usage = usage_text,
      .purpose = purpose_text,
      .examples = "qctl\n"
                  "qctl list deferred --domain example.org\n"
                  "qctl show 0H8ZK4TQ2N700A3W05\n"
                  "qctl retry --domain example.org\n"
                  "qctl why 0H8ZK4TQ2N700A3W05\n"
                  "qctl quarantine list\n"
                  "qctl remove --queue dead --older 30d --yes",
      .options = kOptions,
      .settings = kSettings,
  };
  auto line = base::CommandLine::parse(manual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (line->has_chain) return base::report(kProgram, {base::Fault::Usage, "no program can stand behind --", 0});
  line->arguments = qctl::from_vqueue(std::move(line->arguments));
  const auto exit_code = run(*line);
  if (exit_code) return *exit_code;
  if (exit_code.error().error_number == EPIPE) return 0;
  return base::report(kProgram, exit_code.error());
}
