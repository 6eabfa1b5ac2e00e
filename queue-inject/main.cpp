// queue-inject: put a message in the spool, durably. See queue-inject(8).
#include <algorithm>
#include <array>
#include <optional>

#include "lib/base/command_line.h"
#include "lib/base/confinement.h"
#include "lib/base/exits.h"
#include "lib/base/service.h"
#include "lib/chain/resident.h"
#include "lib/chain/serve.h"
#include "lib/net/socket.h"
#include "lib/queue/spool_folder.h"
#include "queue-inject/bring_back.h"
#include "queue-inject/broker_store.h"
#include "queue-inject/by_hand.h"
#include "queue-inject/file_store.h"
#include "queue-inject/replace.h"
#include "queue-inject/resident.h"

namespace {

constexpr std::string_view kProgram = "queue-inject";

constexpr auto kOwnOptions = std::to_array<base::OptionRow>({
    {"queue", "STATE", "put the message into this state: working, deliver, hold, ... [working]"},
    {"quarantine", "NAME", "set the message aside in this quarantine"},
    chain::kResidentOption,
    chain::kSocketModeOption,
    base::service::kNotifyOption,
    {"replace", "ID", "the message takes the place of this one in the spool: the end of a chain of queue.rules"},
    {"through", "SOCKET", "with --replace, of a spool on a broker: where the queue-run listens that has called the rules"},
    {"make-spool", "", "make the folders of the spool that are missing, and end"},
});
constexpr auto kOptions = [] {
  std::array<base::OptionRow, kByHandOptions.size() + kOwnOptions.size()> all{};
  std::ranges::copy(kOwnOptions, std::ranges::copy(kByHandOptions, all.begin()).out);
  return all;
}();
constexpr auto kSettings = std::to_array<std::string_view>({"server.domain", "queue.spool", "queue.broker_prefix", "queue.broker_password_file",
                                                            "queue.broker_timeout", "queue.broker_settling", "queue.broker_message_limit", "queue.message_limit", "queue.hop_limit",
                                                            "queue.address_limit", "queue.segment_size", "queue.log_message_limit", "queue.submission",
                                                            "server.sandbox", "server.sandbox_folders"});

constexpr base::Manual kManual{
    .program = kProgram,
    .section = "8",
    .usage = "[OPTION...] <message 1<envelope\n"
             "[-f SENDER] [-t] [OPTION...] RECIPIENT... [-- CHAIN] <text\n"
             "--resident SOCKET [OPTION...]\n"
             "--make-spool [--spool DIRECTORY]",
    .purpose = "Puts a message in the spool, durably: as qmail-queue(8) does, as sendmail(8) does, or for many callers at once.",
    .examples = "queue-inject --spool ~/spool --make-spool\n"
                "queue-inject --spool ~/spool -f me@example.org you@example.com <message\n"
                "tcpserver 0 25 smtpd -- queue-inject\n"
                "queue-inject --resident /run/vsmtp/queue.sock\n"
                "queue-inject -t -- unix:/run/vsmtp/queue.sock <message\n",
    .options = kOptions,
    .settings = kSettings,
};

base::Result<IntakeRules> rules_of(const base::CommandLine& line) {
  auto rules = IntakeRules::from(line.settings);
  for (const std::string_view option : {"queue", "quarantine"}) {
    if (!line.has(option)) continue;
    auto place = parse_place_option("--" + std::string(option), line.text(option));
    if (!place) return std::unexpected(place.error());
    rules.place = std::move(*place);
  }
  return rules;
}

bool is_on_broker(const base::CommandLine& line) { return broker::is_address(line.settings.text("queue.spool")); }

int make_spool(const base::CommandLine& line) {
  if (is_on_broker(line)) {
    const auto setup = broker::Setup::from(line.settings, kProgram);
    const auto made = setup ? make_queues(*setup) : std::unexpected(setup.error());
    return made ? 0 : base::report(kProgram, made.error());
  }
  const auto made = queue::Spool::create(line.settings.text("queue.spool"));
  return made ? 0 : base::report(kProgram, made.error());
}

// The spool, and where messages are that are too large for memory.
base::Result<void> confine(const base::Settings& settings) {
  base::Sandbox sandbox;
  sandbox.writable = {queue::spool_folder(settings.text("queue.spool")), base::BlobWriter::Limits{}.directory};
  sandbox.limits_tcp = true;
  return base::confine(settings, std::move(sandbox));
}

// The broker, and the same for large messages. A name is looked up by modules of the system that nobody knows the needs of.
base::Result<void> confine_for_broker(const base::Settings& settings, const broker::Address& address) {
  base::Sandbox sandbox;
  sandbox.writable = {base::BlobWriter::Limits{}.directory};
  sandbox.limits_tcp = true;
  base::Obstacle obstacle;
  for (const auto& host : address.hosts) {
    sandbox.ports.push_back(host.port);
    if (!net::Address::from_ip(host.name, 0)) obstacle = "the broker '" + host.name + "' is a name and no IP address";
  }
  return base::confine(settings, std::move(sandbox), obstacle);
}

int serve(const base::CommandLine& line, const IntakeRules& rules) {
  const auto mode = chain::parse_socket_mode(line.text("socket-mode"));
  if (!mode) return base::report(kProgram, mode.error());
  if (is_on_broker(line)) {
    const auto setup = broker::Setup::from(line.settings, kProgram);
    if (!setup) return base::report(kProgram, setup.error());
    return run_resident_on_broker(kProgram, {line.text("resident"), *mode, *setup, rules, [&] { return confine_for_broker(line.settings, setup->address); }});
  }
  return run_resident(kProgram, {line.text("resident"), *mode, line.settings.text("queue.spool"), line.settings.octets("queue.segment_size"),
                                 line.settings.octets("queue.log_message_limit"), rules, [&] { return confine(line.settings); }});
}

chain::Answer refuse(const Refused& refused) {
  (void)base::report(kProgram, {base::Fault::Temporary, refused.cause});
  return refused.answer;
}

Stored store_one(const base::CommandLine& line, const std::optional<broker::Setup>& broker, const Accepted& accepted) {
  if (broker) return store_on_broker(*broker, accepted);
  const auto spool = open_spool(line.settings.text("queue.spool"));
  return spool ? store(*spool, std::span(&accepted, 1)).front() : std::unexpected(spool.error());
}

int replace(const base::CommandLine& line, const IntakeRules& rules) {
  if (is_on_broker(line) && !line.has("through"))
    return base::report_in_chain(kProgram, {base::Fault::Usage, "--replace: on a broker only at the end of the chain of rules that queue-run has called, which adds --through"});
  const auto id = queue::Id::parse(line.text("replace"));
  if (!id) return base::report_in_chain(kProgram, {base::Fault::Usage, "--replace '" + line.text("replace") + "': not the id of a message"});
  if (line.has("queue") || line.has("quarantine")) return base::report_in_chain(kProgram, {base::Fault::Usage, "--replace: where it goes on says its context"});
  const ReplaceAt where{line.settings.text("queue.spool"), line.text("through")};
  return chain::serve_once(kProgram, {}, {}, rules.message_octets,
                           [&](const chain::Invocation& invocation) { return replace_message(kProgram, where, *id, rules, invocation); });
}

chain::Answer take_back(const base::CommandLine& line, const Accepted& accepted) {
  auto spool = open_spool(line.settings.text("queue.spool"));
  if (spool) return bring_back(kProgram, *spool, accepted);
  (void)base::report(kProgram, spool.error().error);
  return chain::Answer::exit(exit_code_of(spool.error().step, spool.error().error));
}

// One message call: a file of the spool, or a message on the broker.
chain::Answer inject(const base::CommandLine& line, const std::optional<broker::Setup>& broker, const IntakeRules& rules, bool is_logged,
                     const chain::Invocation& invocation) {
  const auto accepted = take_in(invocation, rules);
  if (!accepted) return refuse(accepted.error());
  if (broker)
    if (const auto refused = check_for_broker(*broker, *accepted)) return refuse(*refused);
  if (accepted->returned) return take_back(line, *accepted);
  const auto stored = store_one(line, broker, *accepted);
  if (stored && is_logged) Queued(*accepted, accepted->item.context).log();
  if (stored) return taken(accepted->item.id);
  (void)base::report(kProgram, stored.error().error);
  return chain::Answer::exit(exit_code_of(stored.error().step, stored.error().error));
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report_in_chain(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (line->has("make-spool")) return make_spool(*line);
  const auto rules = rules_of(*line);
  if (!rules) return base::report_in_chain(kProgram, rules.error());
  if (line->has("resident")) return serve(*line, *rules);
  if (line->has("replace")) return replace(*line, *rules);
  if (line->has("through")) return base::report_in_chain(kProgram, {base::Fault::Usage, "--through goes with --replace"});
  std::optional<broker::Setup> broker;
  if (is_on_broker(*line)) {
    auto setup = broker::Setup::from(line->settings, kProgram);
    if (!setup) return base::report_in_chain(kProgram, setup.error());
    broker = std::move(*setup);
  }
  // Who calls sendmail(8) wants no lines on a terminal.
  const bool is_logged = !is_by_hand(*line) || !line->settings.text("log.destination").empty();
  const auto handler = [&](const chain::Invocation& invocation) { return inject(*line, broker, *rules, is_logged, invocation); };
  if (is_by_hand(*line)) return run_by_hand(kProgram, *line, *rules, handler);
  if (line->has_chain) return base::report_in_chain(kProgram, {base::Fault::Usage, "this is the end of a chain: nothing can follow it"});
  return chain::serve_once(kProgram, {}, {}, rules->message_octets, handler);
}
