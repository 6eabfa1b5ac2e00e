#include "vsl-filter/options.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

#include "lib/base/service.h"
#include "lib/base/text.h"
#include "lib/chain/resident.h"
#include "lib/chain/serve.h"
#include "vsl-filter/transaction/addresses.h"
#include "vsl-filter/api/ip.h"

namespace rules {
namespace {

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"check", "", "say all that is wrong with the rules and end"},
    {"receivers", "", "print the addresses on which content filters bring messages back, and behind each who may"},
    {"test", "", "run the test files that are named, which stand beside their rules"},
    {"api", "", "print the functions of rules, or those with these names or with them within theirs"},
    {"repl", "", "read expressions and print their values; on a message, if one is named"},
    {"authn", "", "no rules: say what SPF, DKIM, DMARC and ARC tell of saved messages; or standard input to standard output, with Authentication-Results"},
    {"policy", "", "answer the questions of Postfix's policy protocol, standard input to standard output"},
    chain::kResidentOption,
    chain::kSocketModeOption,
    base::service::kNotifyOption,
    {"stage", "STAGE", "run the rules of this stage only"},
    {"set", "NAME=VALUE", "a fact: client_ip client_port helo mail_from rcpt user secured; rcpt several times"},
    {"client-ip", "ADDRESS", "the client, instead of what the message's Received field says"},
    {"client-port", "NUMBER", "its port"},
    {"helo", "NAME", "what it called itself"},
    {"from,f", "ADDRESS", "the reverse-path; \"\" is the null one"},
    {"to", "ADDRESS", "a recipient; may be given several times"},
    {"user", "NAME", "the user who logged in"},
    {"secured", "", "as if under TLS"},
    {"trace", "WHAT", "print each directive with its result and time; with =assignments what it assigns, too", "directives"},
    {"json", "", "one JSON object a line"},
    {"jobs,j", "N", "of several saved messages, work on so many at once [one a processor]"},
    {"quiet,q", "", "print nothing, the exit code says it"},
});
constexpr auto kSettings = std::to_array<std::string_view>({
    "server.domain", "delivery.local_domains", "rules.path", "rules.on_error", "rules.deny_closes", "rules.app_directory",
    "rules.state_directory", "rules.rate_keys_max", "rules.operations_max", "rules.call_depth_max", "rules.time_max",
    "rules.memory_max", "rules.string_max", "rules.elements_max", "dns.server", "dns.resolv_conf", "dns.stub", "dns.trust_anchor",
    "dns.timeout", "queue.spool", "queue.message_limit", "queue.retry_min", "auth.check_password", "auth.check_password_timeout",
    "server.sandbox", "server.sandbox_folders", "delivery.srs_secret_file", "delivery.srs_hash_length", "delivery.srs_max_age",
    "authn.authserv_id", "authn.signatures_max", "authn.key_bits_min", "authn.key_bits_max",
});

using base::Fault;

// `option`: as it was written, for complaints.
base::Result<void> set_fact(GivenFacts& facts, std::string_view option, std::string_view name, std::string_view value) {
  const auto bad = [&](std::string_view expected) {
    return base::fail(Fault::Usage, std::string(option) + " '" + base::text::printable(value, 200) + "'; expected: " + std::string(expected));
  };
  if (name == "client_ip") {
    const auto ip = Ip::parse(value);
    if (!ip) return bad("an IP address");
    facts.client_ip = ip->text();
  } else if (name == "client_port") {
    const auto port = base::text::parse_number<std::uint16_t>(value);
    if (!port) return bad("0 to 65535");
    facts.client_port = *port;
  } else if (name == "helo") {
    facts.helo = value;
  } else if (name == "mail_from") {
    if (value == "<>") value = {};
    if (!value.empty() && !check_address(value)) return bad("an address such as ann@example.org, or nothing for the null reverse-path");
    facts.reverse_path = value;
  } else if (name == "rcpt") {
    if (!check_address(value)) return bad("an address such as ann@example.org");
    facts.recipients.emplace_back(value);
  } else if (name == "user") {
    facts.user = value;
  } else if (name == "secured") {
    if (value != "yes" && value != "no") return bad("yes or no");
    facts.is_secured = value == "yes";
  } else {
    return base::fail(Fault::Usage, "--set " + std::string(name) + "; expected: NAME=VALUE with one of client_ip client_port helo mail_from rcpt user secured");
  }
  return {};
}

base::Result<GivenFacts> facts_of(const base::CommandLine& line) {
  struct Row {
    std::string_view option, fact;
  };
  constexpr auto kFacts = std::to_array<Row>({
      {"client-ip", "client_ip"}, {"client-port", "client_port"},
      {"helo", "helo"}, {"from", "mail_from"}, {"to", "rcpt"}, {"user", "user"},
  });
  GivenFacts facts;
  for (const auto& [option, fact] : kFacts) {
    if (!line.has(option)) continue;
    for (const auto& value : line.all(option))
      if (const auto set = set_fact(facts, "--" + std::string(option), fact, value); !set) return std::unexpected(set.error());
  }
  if (line.has("secured")) facts.is_secured = true;
  if (!line.has("set")) return facts;
  for (const auto& assignment : line.all("set")) {
    const auto [name, value] = base::text::split_once(assignment, '=');
    if (const auto set = set_fact(facts, "--set " + std::string(name), name, value); !set) return std::unexpected(set.error());
  }
  return facts;
}

base::Result<std::size_t> jobs_of(const base::CommandLine& line) {
  constexpr std::size_t kMost = 1000;
  if (!line.has("jobs")) return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
  const auto jobs = base::text::parse_number<std::size_t>(line.text("jobs"));
  if (!jobs || *jobs == 0 || *jobs > kMost) return base::fail(Fault::Usage, "--jobs " + line.text("jobs") + "; expected: 1 to " + std::to_string(kMost));
  return *jobs;
}

// The one that is asked for; saved messages are reported on, a message on standard input is filtered.
base::Result<Mode> mode_of(const base::CommandLine& line) {
  struct Row {
    std::string_view option;
    Mode mode;
  };
  constexpr auto kModes = std::to_array<Row>({
      {"check", Mode::Check}, {"receivers", Mode::Receivers}, {"test", Mode::Test}, {"api", Mode::Api}, {"repl", Mode::Repl}, {"authn", Mode::Authn}, {"policy", Mode::Policy}, {"resident", Mode::Resident},
  });
  std::optional<Row> chosen;
  for (const auto& row : kModes) {
    if (!line.has(row.option)) continue;
    if (chosen) return base::fail(Fault::Usage, "--" + std::string(chosen->option) + " and --" + std::string(row.option) + " exclude each other");
    chosen = row;
  }
  if (line.has_chain && chosen) return base::fail(Fault::Usage, "--" + std::string(chosen->option) + " has no program behind it");
  if (chosen) return chosen->mode;
  if (line.has_chain) return Mode::Chain;
  return line.arguments.size() > 1 ? Mode::Report : Mode::Filter;
}

}  // namespace

const base::Manual kManual = {
    .program = "vsl-filter",
    .section = "1",
    .usage = "[OPTION...] RULES [MESSAGE...]\n[OPTION...] RULES <message >filtered\nRULES -- NEXT...\n--policy RULES\n"
             "--resident SOCKET RULES\n--check RULES\n--receivers RULES\n--test FILE...\n--api [NAME...]\n--authn [MESSAGE...]\n--repl [RULES] [MESSAGE]",
    .purpose = "Runs rules in vSL on messages and sessions: saved ones, those of a chain, those that a mail server asks about.",
    .examples = "vsl-filter main.vsl ~/Maildir/cur/*\n"
                "vsl-filter --stage rcpt --client-ip 192.0.2.1 --from a@b.example --to c@d.example main.vsl < saved.eml > filtered.eml\n"
                "vsl-filter --check main.vsl\n"
                "vsl-filter --authn --client-ip 192.0.2.1 --helo mx.b.example --from a@b.example saved.eml\n"
                "smtpd --listen 127.0.0.1:2525 -- vsl-filter main.vsl -- queue-inject",
    .options = kOptions,
    .settings = kSettings,
};

base::Result<Options> options_of(const base::CommandLine& line) {
  Options options;
  const auto mode = mode_of(line);
  if (!mode) return std::unexpected(mode.error());
  options.mode = *mode;
  auto facts = facts_of(line);
  if (!facts) return std::unexpected(facts.error());
  options.facts = std::move(*facts);
  if (line.has("stage")) {
    options.stage = stage_of(line.text("stage"));
    if (!options.stage) {
      std::string names;
      for (const auto& row : kStages) names += " " + std::string(row.name);
      return base::fail(Fault::Usage, "--stage " + line.text("stage") + "; expected:" + names);
    }
  }
  options.files = line.arguments;
  const bool takes_rules = options.mode != Mode::Api && options.mode != Mode::Test && options.mode != Mode::Authn;
  const bool needs_rules = takes_rules && options.mode != Mode::Repl;
  if (needs_rules && options.files.empty()) return base::fail(Fault::Usage, "no rules named");
  // A message alone, too: `vsl-filter --repl saved.eml`.
  const bool is_message_alone = options.mode == Mode::Repl && options.files.size() == 1 && !options.files.front().ends_with(".vsl") && !options.files.front().ends_with(".rhai");
  if (takes_rules && !options.files.empty() && !is_message_alone) {
    options.rules = options.files.front();
    options.files.erase(options.files.begin());
  }
  if (options.mode == Mode::Test && options.files.empty()) return base::fail(Fault::Usage, "--test: no file named");
  const bool takes_files = options.mode != Mode::Check && options.mode != Mode::Receivers && options.mode != Mode::Chain && options.mode != Mode::Policy && options.mode != Mode::Resident;
  if (!takes_files && !options.files.empty()) return base::fail(Fault::Usage, "unexpected argument: " + options.files.front());
  const auto jobs = jobs_of(line);
  if (!jobs) return std::unexpected(jobs.error());
  options.jobs = *jobs;
  if (line.has("trace")) {
    const auto& what = line.text("trace");
    if (what != "directives" && what != "assignments") return base::fail(Fault::Usage, "--trace=" + what + "; expected: directives or assignments");
    options.has_trace = true;
    options.traces_assignments = what == "assignments";
  }
  options.as_json = line.has("json");
  options.is_quiet = line.has("quiet");
  options.has_colour = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr && !options.as_json;
  if (line.has("resident")) options.socket = line.text("resident");
  const auto socket_mode = chain::parse_socket_mode(line.has("socket-mode") ? line.text("socket-mode") : std::string());
  if (!socket_mode) return std::unexpected(socket_mode.error());
  options.socket_mode = *socket_mode;
  // A report was asked for, though the message comes on standard input.
  if (options.mode == Mode::Filter && (options.as_json || options.has_trace || options.is_quiet)) {
    options.mode = Mode::Report;
    options.files = {"-"};
  }
  if (options.mode == Mode::Authn && options.files.empty() && (options.as_json || options.is_quiet)) options.files = {"-"};
  return options;
}

}  // namespace rules
