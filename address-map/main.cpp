// address-map: aliases and virtual maps. See address-map(8).
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <thread>

#include "address-map/calls.h"
#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/chain/caller.h"
#include "lib/chain/policy.h"
#include "lib/chain/resident.h"
#include "lib/chain/serve.h"

namespace {

using address_map::Expander;
using address_map::Format;
using address_map::MapFiles;
using base::Fault;

constexpr std::string_view kProgram = "address-map";
constexpr int kExitNotThere = 1;  // as of postmap -q
constexpr std::size_t kThreads = 8;

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"query,q", "", "print what the addresses that are given become, one a line"},
    {"compile", "FORMAT", "write FILE.cdb for each FILE that is given; FORMAT: aliases, virtual, recipients"},
    {"check", "", "read all maps, and tell their mistakes"},
    {"policy", "", "answer questions on standard input, as spawn(8) of Postfix makes them"},
    chain::kResidentOption,
    base::service::kNotifyOption,
    chain::kSocketModeOption,
});
constexpr auto kSettings = std::to_array<std::string_view>({
    "aliases.files", "aliases.virtual", "aliases.recipients", "aliases.virtual_domains", "aliases.expansion_max", "aliases.depth_max",
    "delivery.local_domains", "delivery.recipient_delimiter",
});
const base::Manual kManual{
    .program = kProgram,
    .section = "8",
    .usage = "[OPTION...] -- PROGRAM...\n"
             "[OPTION...] --query ADDRESS...\n"
             "[OPTION...] --compile FORMAT FILE...\n"
             "[OPTION...] --policy\n"
             "[OPTION...] --resident SOCKET",
    .purpose = "Rewrites recipients by aliases and virtual maps: as a filter of a chain, as a policy server, by hand.",
    .examples = "address-map --files /etc/aliases --query postmaster\n"
                "address-map --compile virtual /etc/vsmtp/virtual\n"
                "smtpd --policy 'rcpt=address-map --policy' -- address-map -- queue-inject\n"
                "address-map --resident /run/vsmtp/aliases",
    .options = kOptions,
    .settings = kSettings,
};

struct Configuration {
  address_map::Rules rules;
  std::vector<MapFiles::File> files;
};

base::Result<Configuration> configure(const base::Settings& settings) {
  Configuration configuration;
  auto& rules = configuration.rules;
  rules.local_domains = mail::DomainList(settings.words("delivery.local_domains"));
  rules.virtual_domains = mail::DomainList(settings.words("aliases.virtual_domains"));
  rules.delimiter = settings.text("delivery.recipient_delimiter");
  rules.results_max = settings.count("aliases.expansion_max");
  rules.depth_max = settings.count("aliases.depth_max");
  for (const auto name : {"aliases.expansion_max", "aliases.depth_max"})
    if (settings.count(name) == 0) return base::fail(Fault::Config, settings.place_of(name) + std::string(name) + ": 0; expected: at least 1");
  for (const auto& [name, format] : std::initializer_list<std::pair<std::string_view, Format>>{
           {"aliases.files", Format::Aliases}, {"aliases.virtual", Format::Virtual}, {"aliases.recipients", Format::Recipients}})
    for (auto& path : settings.words(name)) configuration.files.push_back({format, std::move(path)});
  return configuration;
}

std::optional<Format> format_of(std::string_view name) {
  for (const auto format : {Format::Aliases, Format::Virtual, Format::Recipients})
    if (address_map::name_of(format) == name) return format;
  return std::nullopt;
}

int compile(const base::CommandLine& line) {
  const auto format = format_of(line.text("compile"));
  if (!format) return base::report(kProgram, {Fault::Usage, "--compile: '" + line.text("compile") + "'; expected: aliases, virtual or recipients"});
  if (line.arguments.empty()) return base::report(kProgram, {Fault::Usage, "--compile FORMAT: expected: FILE..."});
  int code = 0;
  for (const auto& file : line.arguments)
    if (const auto compiled = address_map::compile_map(*format, file); !compiled) code = base::report(kProgram, compiled.error());
  return code;
}

std::string line_of(const address_map::Result& result) {
  const std::string text = result.kind == address_map::Target::Kind::Command ? "|" + result.text : result.text;
  return (result.is_list ? text + " (from " + result.owner + ")" : text) + "\n";
}

int query(const base::CommandLine& line, const Expander& expander) {
  if (line.arguments.empty()) return base::report(kProgram, {Fault::Usage, "--query: expected: ADDRESS..."});
  int code = 0;
  for (const auto& address : line.arguments) {
    const auto is_there = expander.is_in_maps(address);
    if (!is_there) return base::report(kProgram, is_there.error());
    if (!*is_there) {
      code = kExitNotThere;
      continue;
    }
    const auto results = expander.expand(address);
    if (!results) return base::report(kProgram, results.error());
    for (const auto& result : *results)
      if (const auto written = base::write_all(STDOUT_FILENO, line_of(result)); !written) return base::report(kProgram, written.error());
  }
  return code;
}

class Service {
 public:
  Service(MapFiles& files, const Configuration& configuration)
      : files_(files), configuration_(configuration), expander_(files, configuration_.rules) {}

  chain::Answer operator()(chain::Invocation& invocation) {
    if (invocation.call.kind == chain::Kind::Policy) return answer_question(invocation.call.envelope);
    if (invocation.call.kind == chain::Kind::Message) return filter(invocation);
    return chain::Answer::exit(base::exit_row(Fault::Usage).in_chain);
  }

 private:
  chain::Answer answer_question(const std::string& question) {
    chain::Answer answer;
    const auto fresh = files_.refresh();
    std::string action = "451 4.3.5 recipient cannot be checked now";
    if (fresh) {
      action = address_map::action_for(expander_, configuration_.rules, files_.has(Format::Recipients), question);
    } else {
      base::log::error("a map cannot be used", {{"cause", fresh.error().cause}});
    }
    chain::append_policy(answer.report, "action", action);
    return answer;
  }

  chain::Answer filter(chain::Invocation& invocation) {
    if (const auto fresh = files_.refresh(); !fresh) return cannot(fresh.error());
    auto groups = address_map::regroup(expander_, invocation.call);
    if (!groups && groups.error().fault == Fault::Permanent) return chain::Answer::exit(kBadEnvelope);
    if (!groups) return cannot(groups.error());
    if (groups->empty()) return chain::Answer::pass();
    if (invocation.next.empty()) return cannot({Fault::Config, "no program behind -- to pass the message to", 0});
    // If a later one fails, the client sends all of them again: that is why the sender's own goes last.
    for (std::size_t i = groups->size(); --i > 0;) {
      chain::Call call = invocation.call;
      call.envelope = (*groups)[i].envelope;
      call.context = (*groups)[i].context;
      const auto outcome = chain::call_and_wait(invocation.next, std::move(call), {});
      if (outcome.result == chain::Outcome::Class::Taken) continue;
      const bool is_for_good = outcome.result == chain::Outcome::Class::Permanent;
      base::log::warning("a group of recipients was refused", {{"reply", outcome.reply}, {"cause", outcome.cause}});
      return chain::Answer::as_reported(is_for_good ? Fault::Permanent : Fault::Temporary, outcome.reply.empty() ? (is_for_good ? "554 5.3.0 refused" : "451 4.3.0 try again later") : outcome.reply);
    }
    auto answer = chain::Answer::pass();
    answer.envelope = std::move(groups->front().envelope);
    if (!groups->front().context.empty()) answer.context = std::move(groups->front().context);
    return answer;
  }

  // The mail waits; the cause is for the log.
  static chain::Answer cannot(const base::Error& error) {
    base::log::error("a map cannot be used", {{"cause", error.cause}});
    return chain::Answer::as_reported(Fault::Temporary, "451 4.3.5 recipients cannot be looked up now");
  }

  static constexpr int kBadEnvelope = 91;  // qmail-queue(8)
  MapFiles& files_;
  const Configuration& configuration_;
  Expander expander_;
};

int serve(const base::CommandLine& line, Service& service) {
  const chain::Handler handler = [&](chain::Invocation& invocation) { return service(invocation); };
  if (line.has("policy")) return chain::serve_policy(kProgram, handler);
  if (!line.has("resident")) return chain::serve_once(kProgram, {}, line.chain, std::numeric_limits<std::uint64_t>::max(), handler);
  const auto mode = chain::parse_socket_mode(line.text("socket-mode"));
  if (!mode) return base::report(kProgram, mode.error());
  chain::ResidentWork work;
  work.handler = handler;
  work.threads = kThreads;  // a group of recipients waits for what follows
  work.waits_for_nothing = [](const chain::Invocation& invocation) { return invocation.call.kind == chain::Kind::Policy; };
  chain::ResidentServer::Limits limits;
  limits.takes_questions = true;
  return chain::serve_resident(kProgram, line.text("resident"), work, limits, *mode);
}

base::Result<void> check_usage(const base::CommandLine& line) {
  if (line.has("query") + line.has("compile") + line.has("check") + line.has("policy") + line.has("resident") > 1) return base::fail(Fault::Usage, "expected one of --query, --compile, --check, --policy, --resident");
  const bool has_mode = line.has("query") || line.has("compile") || line.has("check") || line.has("policy") || line.has("resident");
  if (has_mode && line.has_chain) return base::fail(Fault::Usage, "a next program behind -- goes with the message call only");
  if (!line.has("query") && !line.has("compile") && !line.arguments.empty()) return base::fail(Fault::Usage, "'" + line.arguments.front() + "': no argument is expected (see --help)");
  if (!has_mode && !line.has_chain) return base::fail(Fault::Usage, "expected: -- PROGRAM..., or one of --query, --compile, --check, --policy, --resident (see --help)");
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = base::CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  if (const auto usage = check_usage(*line); !usage) return base::report(kProgram, usage.error());
  if (line->has("compile")) return compile(*line);
  const auto configuration = configure(line->settings);
  if (!configuration) return base::report(kProgram, configuration.error());
  MapFiles files(configuration->files);
  if (line->has("query") || line->has("check"))
    if (const auto fresh = files.refresh(); !fresh) return base::report(kProgram, fresh.error());
  if (line->has("check")) return 0;
  if (line->has("query")) return query(*line, Expander(files, configuration->rules));
  Service service(files, *configuration);
  return serve(*line, service);
}
