// tcplaunch: run a program for each TCP connection, within limits. See tcplaunch(8).

#include <algorithm>
#include <csignal>

#include "lib/base/account.h"
#include "lib/base/command_line.h"
#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "smtpd/launcher.h"

namespace {

using base::CommandLine;

constexpr std::string_view kProgram = "tcplaunch";
constexpr std::size_t kConnections = 100;
constexpr unsigned kIpv6Bits = 64;
constexpr int kBacklog = 4096;  // the kernel takes the lesser of this and net.core.somaxconn

constexpr auto kOptions = std::to_array<base::OptionRow>({
    {"connections,c", "N", "at most N connections at once [100]; 0 is no limit"},
    {"per-client,p", "N", "at most N connections of one client at once [0: no limit]"},
    {"ipv6-bits", "BITS", "IPv6 clients whose first BITS are the same are one client [64]"},
    {"refusal,r", "TEXT", "the line for a client over a limit, such as '421 4.3.2 too many connections'"},
    {"backlog,b", "N", "connections that may wait to be accepted [4096]"},
    {"user,u", "USER", "become this user when the addresses are bound"},
    {"group,g", "GROUP", "and this group, instead of the user's own"},
    {"local-name,l", "NAME", "set TCPLOCALHOST to this"},
    {"print-port,1", "", "print the port of each address; done anyway when 0 was given"},
    {"drain", "", "on SIGTERM wait until the programs that run have ended"},
});
const base::Manual kManual{
    .program = kProgram,
    .section = "8",
    .usage = "[OPTION...] ADDRESS:PORT... PROGRAM [ARGUMENT...]",
    .purpose = "Runs PROGRAM for each TCP connection, with the connection as descriptors 0 and 1 and the UCSPI environment.",
    .examples = "tcplaunch 0.0.0.0:25 [::]:25 smtpd -- queue-inject\n"
                "tcplaunch -u smtpd -c 200 -p 20 -r '421 4.3.2 too many connections' 0.0.0.0:25 smtpd -- queue-inject\n"
                "tcplaunch -1 127.0.0.1:0 sh -c 'echo hello $TCPREMOTEIP'",
    .options = kOptions,
    .settings = {},
    .options_end_at_first_argument = true,
};

struct Plan {
  std::vector<net::Address> addresses;
  launch::LaunchRules rules;
  std::optional<base::Account> account;
  int backlog = kBacklog;
};

base::Result<void> read_number(const CommandLine& line, std::string_view option, auto& value, std::uint64_t least, std::uint64_t most) {
  if (!line.has(option)) return {};
  const auto number = base::text::parse_number<std::uint64_t>(line.text(option));
  if (!number || *number < least || *number > most) {
    return base::fail(base::Fault::Usage, "--" + std::string(option) + " " + base::text::printable(line.text(option)) + ": expected a number from " +
                                              std::to_string(least) + " to " + std::to_string(most));
  }
  value = static_cast<std::remove_reference_t<decltype(value)>>(*number);
  return {};
}

base::Result<void> read_limits(const CommandLine& line, Plan& plan) {
  auto& limits = plan.rules.limits;
  limits = {kConnections, 0, kIpv6Bits};
  if (auto read = read_number(line, "connections", limits.in_all, 0, 1'000'000); !read) return read;
  if (auto read = read_number(line, "per-client", limits.per_client, 0, 1'000'000); !read) return read;
  if (auto read = read_number(line, "ipv6-bits", limits.ipv6_bits, 1, 128); !read) return read;
  return read_number(line, "backlog", plan.backlog, 1, 1'000'000);
}

base::Result<void> read_account(const CommandLine& line, Plan& plan) {
  if (!line.has("user")) {
    if (line.has("group")) return base::fail(base::Fault::Usage, "--group goes with --user");
    return {};
  }
  const auto group = line.has("group") ? std::optional<std::string_view>(line.text("group")) : std::nullopt;
  const auto account = base::find_account(line.text("user"), group);
  if (!account) return std::unexpected(account.error());
  plan.account = *account;
  return {};
}

// Addresses stand first; the first word that is none is the program. Its own "--" and what follows are its arguments.
base::Result<void> read_arguments(const CommandLine& line, Plan& plan) {
  auto words = line.arguments;
  const auto is_address = [](const std::string& word) {
    const auto address = net::Address::parse(word);
    return address && address->is_ip();
  };
  const auto program = std::ranges::find_if_not(words, is_address);
  for (auto word = words.begin(); word != program; ++word) plan.addresses.push_back(*net::Address::parse(*word));
  words.erase(words.begin(), program);
  if (line.has_chain) {
    if (!words.empty()) words.emplace_back("--");
    words.insert(words.end(), line.chain.begin(), line.chain.end());
  }
  if (words.empty()) return base::fail(base::Fault::Usage, "expected ADDRESS:PORT... PROGRAM [ARGUMENT...] (see --help)");
  auto path = launch::find_program(words.front());
  if (!path && plan.addresses.empty()) return base::fail(base::Fault::Usage, "'" + words.front() + "' is neither ADDRESS:PORT, such as 0.0.0.0:25 or [::]:25, nor a program");
  if (!path) return std::unexpected(path.error());
  plan.rules.path = std::move(*path);
  plan.rules.arguments = std::move(words);
  return {};
}

base::Result<Plan> plan_of(const CommandLine& line) {
  Plan plan;
  plan.rules.local_host = line.text("local-name");
  plan.rules.refusal = line.text("refusal");
  if (plan.rules.refusal.find_first_of("\r\n") != std::string::npos) return base::fail(base::Fault::Usage, "--refusal: expected one line");
  for (const auto read : {read_limits, read_account, read_arguments})
    if (const auto done = read(line, plan); !done) return std::unexpected(done.error());
  return plan;
}

base::Result<std::vector<base::UniqueFd>> open_listeners(const Plan& plan) {
  std::vector<base::UniqueFd> listeners;
  for (auto& inherited : net::inherited_listeners()) listeners.push_back(std::move(inherited.fd));
  for (const auto& address : plan.addresses) {
    auto listening = net::listen_on(address, plan.backlog);
    if (!listening) return std::unexpected(listening.error());
    listeners.push_back(std::move(*listening));
  }
  if (listeners.empty()) return base::fail(base::Fault::Usage, "expected ADDRESS:PORT, or sockets by LISTEN_FDS");
  return listeners;
}

base::Result<void> announce(const std::vector<base::UniqueFd>& listeners, const Plan& plan, bool prints_always) {
  const bool asked_for_any = std::ranges::any_of(plan.addresses, [](const auto& address) { return address.port() == 0; });
  std::string ports;
  for (const auto& listening : listeners) {
    const auto address = net::Address::of_local(listening.get());
    base::log::info("listening", {{"address", address.text()}});
    ports += std::to_string(address.port()) + "\n";
  }
  if (!prints_always && !asked_for_any) return {};
  return base::write_all(STDOUT_FILENO, ports);
}

int run(std::vector<base::UniqueFd> listeners, launch::LaunchRules rules, bool drains) {
  net::Loop loop;
  launch::Launcher launcher(loop, std::move(rules));
  for (auto& listening : listeners) launcher.add(std::move(listening));
  bool is_ending = false;
  const auto end = [&] {
    launcher.close_listeners();
    if (!drains || is_ending || launcher.running() == 0) return loop.stop();
    is_ending = true;
    launcher.on_last_end = [&] { loop.stop(); };
  };
  const net::SignalWatch on_term(loop, SIGTERM, end), on_int(loop, SIGINT, end);
  const net::SignalWatch on_hangup(loop, SIGHUP, [] { base::log::reopen(); });
  loop.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto line = CommandLine::parse(kManual, argc, argv);
  if (!line) return base::report(kProgram, line.error());
  if (line->should_exit()) return 0;
  auto plan = plan_of(*line);
  if (!plan) return base::report(kProgram, plan.error());
  auto listeners = open_listeners(*plan);
  if (!listeners) return base::report(kProgram, listeners.error());
  // One for each connection while it starts, and one to watch its program.
  const auto connections = plan->rules.limits.in_all;
  base::raise_descriptor_limit(connections == 0 ? ~std::uint64_t{0} : connections + 64);
  if (plan->account)
    if (const auto became = base::become(*plan->account); !became) return base::report(kProgram, became.error());
  if (const auto announced = announce(*listeners, *plan, line->has("print-port")); !announced) return base::report(kProgram, announced.error());
  return run(std::move(*listeners), std::move(plan->rules), line->has("drain"));
}
