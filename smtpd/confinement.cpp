#include "smtpd/confinement.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

#include "lib/base/account.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/confinement.h"
#include "lib/base/text.h"

namespace smtpd {
namespace {

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

void add_ports(std::vector<std::uint16_t>& ports, const Configuration& configuration) {
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
  base::add_folder_of(sandbox.readable, settings.text("delivery.srs_secret_file"));
  net::dns::add_needs(sandbox, settings);
  sandbox.writable.push_back(settings.text("smtp.message_directory"));
  add_ports(sandbox.ports, configuration);
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

base::Obstacle obstacle_of(const Configuration& configuration) {
  const auto program = started_program(configuration);
  return program.empty() ? base::Obstacle() : "it starts '" + program + "', which is no resident program (unix:SOCKET)";
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
  return base::check_confinement(settings, obstacle_of(configuration));
}

base::Result<void> confine(const base::CommandLine& line, const Configuration& configuration) {
  const auto& settings = line.settings;
  if (auto limited = limit_memory(settings); !limited) return limited;
  return base::confine(settings, sandbox_of(line, configuration), obstacle_of(configuration));
}

base::Result<void> give_up_rights(const base::Settings& settings) {
  if (!settings.text("server.chroot").empty() && settings.text("server.user").empty())
    return base::fail(base::Fault::Config, "server.chroot needs server.user: root gets out of every chroot");
  return become(settings);
}

}  // namespace smtpd
