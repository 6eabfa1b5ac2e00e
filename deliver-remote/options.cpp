#include "deliver-remote/options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/command_line.h"
#include "lib/mail/relay_sections.h"

namespace remote {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({
    "remote.relay_host", "remote.port", "remote.protocol", "remote.helo", "remote.source", "remote.chunking", "remote.xforward_hosts", "remote.own_addresses", "remote.dead_host_time", "remote.address_family", "remote.max_addresses",
    "remote.pipelining", "remote.eight_bit", "remote.recipients_max", "remote.connections_max", "remote.reuse", "remote.reuse_idle",
    "remote.reuse_max", "remote.reuse_time", "remote.tls_level", "remote.mta_sts", "remote.tls_journal", "remote.tls_journal_size_max", "remote.tls_wrapper", "remote.tls_names", "remote.tls_fingerprints", "remote.tls_authorities",
    "remote.tls_certificate", "remote.tls_private_key", "remote.tls_version_min", "remote.tls_cipher_suite", "remote.tls_sessions_max", "remote.user",
    "remote.password_file", "remote.auth_mechanisms", "remote.auth_in_clear", "remote.timeout_tls", "remote.timeout_auth", "remote.timeout_connect", "remote.timeout_greeting", "remote.timeout_helo", "remote.timeout_mail",
    "remote.timeout_rcpt", "remote.timeout_data", "remote.timeout_block", "remote.timeout_message", "remote.timeout_quit",
    "dns.server", "dns.resolv_conf", "dns.stub", "dns.trust_anchor", "dns.timeout", "server.domain", "server.sandbox", "server.sandbox_folders",
});

using TimeLimits = smtp::ClientSession::TimeLimits;
struct LimitRow {
  std::string_view setting;
  std::uint64_t TimeLimits::*limit;
};
constexpr auto kLimits = std::to_array<LimitRow>({
    {"remote.timeout_greeting", &TimeLimits::greeting},
    {"remote.timeout_helo", &TimeLimits::hello},
    {"remote.timeout_tls", &TimeLimits::tls},
    {"remote.timeout_auth", &TimeLimits::auth},
    {"remote.timeout_mail", &TimeLimits::mail},
    {"remote.timeout_rcpt", &TimeLimits::rcpt},
    {"remote.timeout_data", &TimeLimits::data},
    {"remote.timeout_block", &TimeLimits::block},
    {"remote.timeout_message", &TimeLimits::message},
    {"remote.timeout_quit", &TimeLimits::quit},
});

// A count that must lie in a range for the program to work at all.
base::Result<std::size_t> count_within(const base::Settings& settings, std::string_view name, std::size_t least, std::size_t most) {
  const auto count = settings.count(name);
  if (count >= least && count <= most) return static_cast<std::size_t>(count);
  return base::fail(base::Fault::Config, std::string(name) + " = " + std::to_string(count) + "; expected: a number from " + std::to_string(least) + " to " + std::to_string(most));
}

AddressFamily family_of(std::string_view word) {
  constexpr std::pair<std::string_view, AddressFamily> kFamilies[] = {{"any", AddressFamily::Any}, {"ipv4", AddressFamily::Ipv4}, {"ipv6", AddressFamily::Ipv6},
                                                                      {"prefer_ipv4", AddressFamily::PreferIpv4}, {"prefer_ipv6", AddressFamily::PreferIpv6}};
  return std::ranges::find(kFamilies, word, &std::pair<std::string_view, AddressFamily>::first)->second;
}

// What goes by another transport comes with its HOST.
base::Result<mail::DomainMap<std::string>> hosts_of(const base::Settings& settings, std::uint16_t port) {
  mail::DomainMap<std::string> hosts;
  const auto sections = mail::relay_sections(settings);
  if (!sections) return std::unexpected(sections.error());
  for (const auto& domain : settings.names("relay")) {
    const auto& section = *sections->at(domain);
    if (!section.is_way()) continue;
    const bool is_remote = section.transport.empty() || section.transport == "remote";
    if (is_remote && !section.host.empty())
      if (const auto target = Target::parse(section.host, port); !target)
        return base::fail(base::Fault::Config, settings.place_of(base::Settings::named("relay", domain, "host")) + "[relay \"" + domain + "\"] host: " + target.error().cause);
    hosts.add(domain, is_remote ? section.host : std::string());
  }
  return hosts;
}

base::Result<mail::DomainMap<std::shared_ptr<const Profile>>> profiles_of(const base::Settings& settings) {
  mail::DomainMap<std::shared_ptr<const Profile>> profiles;
  for (const auto& domain : settings.names("relay")) {
    auto profile = read_profile(settings, "relay \"" + domain + "\"");
    if (!profile) return std::unexpected(std::move(profile.error()));
    profiles.add(domain, std::make_shared<const Profile>(std::move(*profile)));
  }
  return profiles;
}

smtp::ClientSession::Settings session_settings(const base::Settings& settings, const std::string& own_name) {
  smtp::ClientSession::Settings session;
  session.helo = settings.text("remote.helo").empty() ? own_name : settings.text("remote.helo");
  session.is_lmtp = settings.text("remote.protocol") == "lmtp";
  session.use_chunking = settings.flag("remote.chunking");
  session.use_pipelining = settings.flag("remote.pipelining");
  session.sends_undeclared_8bit = settings.text("remote.eight_bit") == "send";
  for (const auto& row : kLimits) session.limits.*row.limit = settings.milliseconds(row.setting);
  return session;
}

}  // namespace

const std::span<const std::string_view> kSettingNames = kNames;

base::Result<Options> read_options(const base::Settings& settings) {
  Options options;
  const auto own_name = base::server_domain(settings);
  options.session = session_settings(settings, own_name);
  options.own_names = {own_name, options.session.helo};
  options.tls_journal = settings.text("remote.tls_journal");
  options.tls_journal_size_max = settings.octets("remote.tls_journal_size_max");
  options.mta_sts = settings.words("remote.mta_sts");
  options.dns = net::dns::settings_of(settings);
  options.family = family_of(settings.text("remote.address_family"));
  options.timeout_connect_milliseconds = settings.milliseconds("remote.timeout_connect");
  options.converts_eight_bit = settings.text("remote.eight_bit") == "convert";
  options.dead_host_milliseconds = settings.milliseconds("remote.dead_host_time");
  options.reuse = settings.flag("remote.reuse");
  options.reuse_idle_milliseconds = settings.milliseconds("remote.reuse_idle");
  options.reuse_time_milliseconds = settings.milliseconds("remote.reuse_time");
  options.tls_sessions_max = settings.count("remote.tls_sessions_max");
  auto profile = read_profile(settings);
  if (!profile) return std::unexpected(std::move(profile.error()));
  options.profile = std::make_shared<const Profile>(*profile);
  profile->forget_login();
  options.profile_without_login = std::make_shared<const Profile>(std::move(*profile));

  struct CountRow {
    std::string_view setting;
    std::size_t least, most;
    std::size_t* count;
  };
  std::size_t port = 0;
  constexpr std::size_t kMost = 1'000'000;
  for (const auto& row : std::initializer_list<CountRow>{{"remote.port", 1, 65535, &port},
                                                         {"remote.max_addresses", 1, kMost, &options.max_addresses},
                                                         {"remote.recipients_max", 1, kMost, &options.recipients_max},
                                                         {"remote.connections_max", 1, kMost, &options.connections_max},
                                                         {"remote.reuse_max", 1, kMost, &options.reuse_max}}) {
    const auto count = count_within(settings, row.setting, row.least, row.most);
    if (!count) return std::unexpected(count.error());
    *row.count = *count;
  }
  options.port = static_cast<std::uint16_t>(port);

  if (const auto& host = settings.text("remote.relay_host"); !host.empty()) {
    auto relay = Target::parse(host, options.port);
    if (!relay) return base::fail(base::Fault::Config, "remote.relay_host: " + relay.error().cause);
    options.relay = std::move(*relay);
  }
  auto hosts = hosts_of(settings, options.port);
  if (!hosts) return std::unexpected(hosts.error());
  options.hosts = std::move(*hosts);
  auto profiles = profiles_of(settings);
  if (!profiles) return std::unexpected(profiles.error());
  options.profiles = std::move(*profiles);
  options.relay_host = settings.text("remote.relay_host");
  for (const auto& word : settings.words("remote.xforward_hosts")) {
    auto network = net::Network::parse(word);
    if (!network) return base::fail(base::Fault::Config, "remote.xforward_hosts: " + network.error().cause);
    options.xforward_hosts.push_back(*network);
  }
  auto own = OwnPlaces::read(settings);
  if (!own) return std::unexpected(std::move(own.error()));
  options.own_places = std::move(*own);
  return options;
}

}  // namespace remote
