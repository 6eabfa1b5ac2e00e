// queue-run: takes messages from the spool, drives the transports, retries, gives up. See queue-run(8).
#include <algorithm>
#include <csignal>
#include <optional>

#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/net/watchdog.h"
#include "queue-run/configuration.h"
#include "queue-run/requests.h"
#include "queue-run/runner.h"

namespace {

constexpr std::string_view kProgram = "queue-run";

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"drain", "", "deliver what is fresh or due, then end"},
    {"now", "", "begin with all that is deferred, whether it is due or not"},
    base::service::kNotifyOption,
    {"once", "", "attempt the messages whose ids are given, and no others, then end"},
});

constexpr base::Manual kManual = {
    .program = kProgram,
    .section = "8",
    .usage = "[--drain] [--now]\n--once ID...",
    .purpose = "Takes messages from the spool and drives the programs that deliver them.",
    .examples = "queue-run --spool /var/spool/vsmtp --local-domains example.org\n"
                "queue-run --spool /tmp/spool --drain --now --relay-host '[127.0.0.1]:2525'\n"
                "queue-run --spool /tmp/spool --local-transport unix:/run/vsmtp/maildir.sock",
    .options = kOptions,
    .settings = run::kSettings,
};

base::Result<void> read_mode(const base::CommandLine& line, run::Runner::Settings& settings) {
  settings.drains = line.has("drain");
  settings.retries_all = line.has("now");
  if (!line.has("once")) {
    if (!line.arguments.empty()) return base::fail(base::Fault::Usage, "ids are for --once");
    return {};
  }
  if (settings.drains || settings.retries_all) return base::fail(base::Fault::Usage, "--once goes with neither --drain nor --now");
  if (line.arguments.empty()) return base::fail(base::Fault::Usage, "--once: expected: ID...");
  for (const auto& word : line.arguments) {
    const auto id = queue::Id::parse(word);
    if (!id) return base::fail(base::Fault::Usage, "'" + word + "' is not the id of a message");
    settings.only.insert(*id);
  }
  return {};
}

// What crashes left behind. Before anything else looks at the spool.
base::Result<void> repair(queue::Spool& spool, queue::LogReader& log) {
  auto in_log = log.live_ids();
  if (!in_log) return std::unexpected(in_log.error());
  std::ranges::sort(*in_log);
  const auto said = spool.repair([&](const queue::Id& id) { return std::ranges::binary_search(*in_log, id); });
  if (!said) return std::unexpected(said.error());
  for (const auto& line : *said) base::log::warning("repaired", {{"what", line}});
  return {};
}

int exit_code_of(const run::Runner& runner) {
  for (const auto& id : runner.left_over()) base::log::info("still in the queue", {{"id", id.text()}});
  const bool has_left = !runner.left_over().empty() || runner.was_cut_short();
  return has_left ? base::exit_row(base::Fault::Temporary).by_hand : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  auto settings = run::configure(line->settings);
  if (!settings) return base::report(kProgram, settings.error());
  const auto mode = read_mode(*line, *settings);
  if (!mode) return base::report(kProgram, mode.error());

  auto spool = queue::Spool::open(line->settings.text("queue.spool"));
  if (!spool) return base::report(kProgram, spool.error());
  const auto lock = spool->lock(kProgram);
  if (!lock) return base::report(kProgram, lock.error());
  auto trigger = queue::Trigger::open(*spool);
  if (!trigger) return base::report(kProgram, trigger.error());
  auto log = queue::LogReader::open(*spool, {});
  if (!log) return base::report(kProgram, log.error());
  const auto repaired = repair(*spool, *log);
  if (!repaired) return base::report(kProgram, repaired.error());

  if (const auto known = base::service::configure(line->text("notify-fd")); !known) return base::report(kProgram, known.error());
  net::Loop loop;
  run::Runner runner(loop, *spool, *log, *trigger, *settings);
  std::optional<run::Requests> requests;
  if (settings->only.empty()) {
    requests.emplace(loop, runner);
    const auto listening = requests->listen(*spool);
    if (!listening) base::log::error("no requests are served", {{"cause", listening.error().cause}});  // mail goes on
  }
  const auto stop = [&] {
    base::service::stopping();
    runner.stop();
  };
  const net::SignalWatch on_term(loop, SIGTERM, stop);
  const net::SignalWatch on_int(loop, SIGINT, stop);
  const net::SignalWatch on_hup(loop, SIGHUP, [] {
    base::service::reloading();
    base::log::reopen();
    base::service::ready();
  });
  const net::SignalWatch on_alarm(loop, SIGALRM, [&] { base::log::info("retry", {{"messages", runner.retry_all()}}); });

  const auto started = runner.start();
  if (!started) return base::report(kProgram, started.error());
  base::log::info("started", {{"spool", spool->path()}});
  base::service::ready();
  const net::Watchdog watchdog(loop);
  loop.run();
  base::log::info("ended");
  return exit_code_of(runner);
}
