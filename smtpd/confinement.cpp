#include "smtpd/confinement.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

#include "lib/base/account.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/sandbox.h"
#include "lib/base/text.h"

namespace smtpd {
namespace {

constexpr std::uint16_t kDnsPort = 53;
// Descriptors beside those of connections: logs, sockets, what libraries hold.
constexpr std::uint64_t kOwnDescriptors = 64;

std::string first_program(const chain::Words& words, bool is_chain) {
  bool is_program = true;
  for (const auto& word : words) {
    if (is_program && !word.starts_with("unix:") && !word.starts_with("inet:")) return word;
    if (!is_chain) break;
    is_program = word == "--";
  }
  return {};
}

void add_ports(std::vector<std::uint16_t>& ports, const base::Settings& settings, const Configuration& configuration) {
  ports.push_back(kDnsPort);
  for (const auto setting : {"dns.server", "dns.stub"})
    for (const auto& word : settings.words(setting))
      if (const auto port = base::text::parse_number<std::uint16_t>(word.substr(word.rfind('@') + 1))) ports.push_back(*port);
  for (const auto& policy : configuration.policy.policies)
    if (const auto port = base::text::parse_number<std::uint16_t>(policy.words.front().substr(policy.words.front().rfind(':') + 1))) ports.push_back(*port);
}

base::Sandbox sandbox_of(const base::CommandLine& line, const Configuration& configuration) {
  const auto& settings = line.settings;
  base::Sandbox sandbox;
  // All that a reload reads again; files are replaced by new ones.
  const char* from_environment = std::getenv("VSMTP_CONFIG");
  base::add_folder_of(sandbox.readable, line.has("config") ? line.text("config") : from_environment != nullptr ? from_environment : "");
  std::vector<std::string> sections = {"tls"};
  for (const auto& domain : settings.names("virtual")) sections.push_back("virtual \"" + domain + "\"");
  for (const auto& section : sections)
    for (const auto* key : {".certificate", ".private_key"})
      for (const auto& path : settings.words(section + key)) base::add_folder_of(sandbox.readable, path);
  base::add_folder_of(sandbox.readable, settings.text("tls.client_authorities"));
  base::add_folder_of(sandbox.readable, settings.text("auth.password_file"));
  // What libraries look at: names of hosts, the clock, processors; how much memory there is.
  for (const auto* path : {"/etc/hosts", "/etc/localtime", "/usr/share/zoneinfo", "/sys/devices/system/cpu", "/sys/fs/cgroup", "/proc/self", "/proc/meminfo", "/dev/urandom"})
    sandbox.readable.emplace_back(path);
  sandbox.readable.push_back(settings.text("dns.resolv_conf"));
  if (const auto& anchor = settings.text("dns.trust_anchor"); !anchor.empty()) sandbox.readable.push_back(anchor);

  sandbox.writable.push_back(settings.text("smtp.message_directory"));
  sandbox.writable.emplace_back("/dev/null");
  if (const auto& log = settings.text("log.destination"); log != "syslog") base::add_folder_of(sandbox.writable, log);

  sandbox.limits_tcp = true;
  add_ports(sandbox.ports, settings, configuration);
  return sandbox;
}

base::Result<void> limit_memory(const base::Settings& settings) {
  const rlim_t octets = settings.octets("server.memory_max");
  if (octets == 0) return {};
  const rlimit limit = {octets, octets};
  if (::setrlimit(RLIMIT_DATA, &limit) != 0) return base::fail_errno("server.memory_max: setrlimit", base::Fault::Config);
  return {};
}

base::Result<void> become(const base::Settings& settings) {
  const auto& text = settings.text("server.user");
  if (text.empty()) return {};
  // "vsmtp", "vsmtp:mail", "1000:1000". Who is that user already needs no right to become it.
  const auto [user, group] = base::text::split_once(text, ':');
  const auto account = base::find_account(user, group.empty() ? std::nullopt : std::optional(group));
  if (!account) return base::fail(base::Fault::Config, "server.user: " + account.error().cause);
  // The files of users are not in a chroot: it is entered between looking and becoming.
  if (const auto& root = settings.text("server.chroot"); !root.empty()) {
    if (::chroot(root.c_str()) != 0) return base::fail_errno("server.chroot: " + root, base::Fault::Config);
    if (::chdir("/") != 0) return base::fail_errno("server.chroot: chdir /", base::Fault::Config);
  }
  if (::geteuid() == account->user && ::getuid() == account->user && account->user != 0) return {};
  return base::become(*account);
}

}  // namespace

std::string started_program(const Configuration& configuration) {
  std::string program = first_program(configuration.chain, true);
  if (program.empty()) program = first_program(configuration.etrn, false);
  for (const auto& policy : configuration.policy.policies)
    if (program.empty()) program = first_program(policy.words, false);
  if (const auto& authentication = configuration.authentication; authentication && program.empty())
    for (const auto* words : {&authentication->check_password, &authentication->check_token})
      if (program.empty() && !words->empty()) program = words->front();
  return program;
}

// Each connection is one, and a message that is called or a question that is asked some more.
base::Result<void> take_descriptors(const base::Settings& settings, const Configuration& configuration) {
  base::raise_descriptor_limit();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return base::fail_errno("getrlimit");
  const std::uint64_t needed = configuration.clients_max + kOwnDescriptors;
  if (limit.rlim_cur >= needed) return {};
  const std::string cause = "server.client_count_max = " + std::to_string(configuration.clients_max) + " needs " + std::to_string(needed) +
                            " descriptors, and this process may have " + std::to_string(limit.rlim_cur) + " (ulimit -Hn, LimitNOFILE=)";
  if (settings.is_given("server.client_count_max")) return base::fail(base::Fault::Config, cause);
  base::log::warning("few descriptors", {{"cause", cause}});
  return {};
}

base::Result<void> check_sandbox(const base::Settings& settings, const Configuration& configuration) {
  if (settings.text("server.sandbox") != "yes") return {};
  if (const auto program = started_program(configuration); !program.empty())
    return base::fail(base::Fault::Config, "server.sandbox = yes: nothing can be started from inside, and '" + program + "' would be; expected: resident programs (unix:SOCKET), or auto or no");
  if (base::landlock_version() == 0) return base::fail(base::Fault::Config, "server.sandbox = yes: this system has no Landlock; expected: auto or no");
  return {};
}

base::Result<void> confine(const base::CommandLine& line, const Configuration& configuration) {
  const auto& settings = line.settings;
  if (auto limited = limit_memory(settings); !limited) return limited;
  if (settings.text("server.sandbox") == "no" || !started_program(configuration).empty()) return {};
  const auto shut = base::shut_in(sandbox_of(line, configuration));
  if (!shut) return base::fail_within("server.sandbox", shut.error());
  if (shut->landlock == 0) base::log::info("sandbox in part", {{"cause", "this system has no Landlock"}});
  if (!shut->filters_calls) base::log::info("sandbox in part", {{"cause", "this system has no seccomp filters"}});
  return {};
}

base::Result<void> give_up_rights(const base::Settings& settings) {
  if (!settings.text("server.chroot").empty() && settings.text("server.user").empty())
    return base::fail(base::Fault::Config, "server.chroot needs server.user: root gets out of every chroot");
  return become(settings);
}

}  // namespace smtpd
