// queue-run: takes messages from the spool, drives the transports, retries, gives up. See queue-run(8).
#include <algorithm>
#include <csignal>
#include <functional>
#include <optional>

#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/broker/setup.h"
#include "lib/net/watchdog.h"
#include "queue-run/broker_runner.h"
#include "queue-run/configuration.h"
#include "queue-run/metrics.h"
#include "queue-run/requests.h"
#include "queue-run/rules_socket.h"
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

void say(const std::vector<std::string>& repaired) {
  for (const auto& line : repaired) base::log::warning("repaired", {{"what", line}});
}

// What crashes left behind, before anything else looks at the spool.
base::Result<void> repair(queue::Spool& spool) {
  const auto said = spool.repair();
  if (!said) return std::unexpected(said.error());
  say(*said);
  return {};
}

// The part of it that may take longer than new mail should wait.
base::Result<void> repair_in_thread(net::Loop& loop, const queue::Spool& spool, queue::LogReader& log, base::WallTime started) {
  auto in_log = log.live_ids();
  if (!in_log) return std::unexpected(in_log.error());
  std::ranges::sort(*in_log);
  struct Job {
    std::vector<queue::Id> in_log;
    base::Result<std::vector<std::string>> said;
  };
  const auto job = std::make_shared<Job>(Job{std::move(*in_log), {}});
  const auto work = [job, &spool, started] {
    job->said = spool.remove_lone_progress(started, [&](const queue::Id& id) { return std::ranges::binary_search(job->in_log, id); });
  };
  net::run_in_thread(loop, work, [job] {
    if (!job->said) return base::log::error("cannot repair progress/", {{"cause", job->said.error().cause}});
    say(*job->said);
  });
  return {};
}

int exit_code_of(const run::Runner& runner, bool drains) {
  const bool has_untried = drains && !runner.unavailable().empty();
  if (has_untried) base::log::warning("mail is left", {{"deferred", runner.deferred()}, {"cause", runner.unavailable()}});
  for (const auto& id : runner.left_over()) base::log::info("still in the queue", {{"id", id.text()}});
  const bool has_left = !runner.left_over().empty() || runner.was_cut_short() || has_untried;
  return has_left ? base::exit_row(base::Fault::Temporary).by_hand : 0;
}

// Its signals and the service manager, until it has ended.
template <class AnyRunner>
void serve(net::Loop& loop, AnyRunner& runner, const std::string& where, const std::function<void()>& retry_all) {
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
  const net::SignalWatch on_alarm(loop, SIGALRM, retry_all);
  base::log::info("started", {{"spool", where}});
  base::service::ready();
  const net::Watchdog watchdog(loop);
  loop.run();
  base::log::info("ended");
}

int run_on_broker(const base::CommandLine& line, run::Runner::Settings settings) {
  const auto setup = broker::Setup::from(line.settings, kProgram);
  if (!setup) return base::report(kProgram, setup.error());
  const auto prefetch = line.settings.count("queue.broker_prefetch");
  if (prefetch == 0 || prefetch > 65535) return base::report(kProgram, {base::Fault::Config, "queue.broker_prefetch: expected: 1 to 65535"});
  if (settings.retries_all || !settings.only.empty())
    return base::report(kProgram, {base::Fault::Usage, "--now and --once are not for a spool on a broker; expected: qctl retry, which moves messages out of its waiting queues"});
  if (!line.settings.words("queue.metrics").empty()) return base::report(kProgram, {base::Fault::Config, "queue.metrics: there are none of a spool on a broker, which has its own"});
  if (const auto known = base::service::configure(line.text("notify-fd")); !known) return base::report(kProgram, known.error());
  net::Loop loop;
  run::BrokerRunner* replaces = nullptr;
  run::RulesSocket rules_socket(loop, [&replaces](const queue::Id& id, const chain::Call& call) { return replaces->replace(id, call); });
  if (auto& rules = settings.deliveries.rules; run::has_program(rules.chain)) {
    if (const auto listening = rules_socket.listen(); !listening) return base::report(kProgram, listening.error());
    rules.end = {"queue-inject", "--through", rules_socket.path(), "--replace"};
  }
  run::BrokerRunner runner(loop, *setup, static_cast<std::uint16_t>(prefetch), settings);
  replaces = &runner;
  serve(loop, runner, setup->address.text(), [] { base::log::warning("what waits on a broker is retried with qctl"); });
  return runner.was_cut_short() ? base::exit_row(base::Fault::Temporary).by_hand : 0;
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

  const auto& where = line->settings.text("queue.spool");
  if (broker::is_address(where)) return run_on_broker(*line, *settings);
  const auto started = base::wall_now();
  auto spool = queue::Spool::open(where);
  if (!spool) return base::report(kProgram, spool.error());
  const auto lock = spool->lock(kProgram);
  if (!lock) return base::report(kProgram, lock.error());
  auto trigger = queue::Trigger::open(*spool);
  if (!trigger) return base::report(kProgram, trigger.error());
  const auto repaired = repair(*spool);
  if (!repaired) return base::report(kProgram, repaired.error());
  auto log = queue::LogReader::open(*spool, {});
  if (!log) return base::report(kProgram, log.error());

  if (const auto known = base::service::configure(line->text("notify-fd")); !known) return base::report(kProgram, known.error());
  net::Loop loop;
  run::Runner runner(loop, *spool, *log, *trigger, *settings);
  std::optional<run::Requests> requests;
  if (settings->only.empty()) {
    requests.emplace(loop, runner);
    const auto listening = requests->listen(*spool);
    if (!listening) base::log::error("no requests are served", {{"cause", listening.error().cause}});  // mail goes on
  }
  const auto begun = runner.start();
  if (!begun) return base::report(kProgram, begun.error());
  const auto metrics = run::MetricsPlaces::make(loop, line->settings.words("queue.metrics"), [&runner] { return runner.metrics(); });
  if (!metrics) return base::report(kProgram, metrics.error());
  if (const auto going = repair_in_thread(loop, *spool, *log, started); !going) return base::report(kProgram, going.error());
  serve(loop, runner, spool->path(), [&] { base::log::info("retry", {{"messages", runner.retry_all()}}); });
  return exit_code_of(runner, settings->drains);
}
