#include "smtpd/configuration.h"

#include "lib/mail/address.h"
#include "lib/net/domain_name.h"
#include "smtpd/offered_extensions.h"
#include "smtpd/own_replies.h"
#include "smtpd/tls_configuration.h"

namespace smtpd {
namespace {

// Less would not be SMTP (RFC 5321 section 4.5.3.1) or not work.
struct Minimum {
  std::string_view setting;
  std::uint64_t value;
  bool may_be_zero;
};
constexpr Minimum kMinima[] = {
    {"smtp.command_line_max", 512, false},
    {"smtp.text_line_max", 1000, true},
    {"smtp.rcpt_count_max", 1, false},
    {"smtp.error_hard_count", 1, false},
    {"smtp.chain_process_max", 1, false},
    {"smtp.policy_connection_max", 1, false},
    {"smtp.workers", 1, false},
    {"auth.check_max", 1, false},
    {"server.client_count_max", 1, false},
};

base::Result<void> check_minima(const base::Settings& settings) {
  for (const auto& [setting, value, may_be_zero] : kMinima) {
    const auto given = settings.count(setting);
    if (given >= value || (given == 0 && may_be_zero)) continue;
    return base::fail(base::Fault::Config, std::string(setting) + " = " + std::to_string(given) + "; expected: at least " + std::to_string(value) +
                                               (may_be_zero ? ", or 0 for no limit" : ""));
  }
  return {};
}

smtp::ServerOptions session_options(const base::Settings& settings) {
  smtp::ServerOptions options;
  options.server_name = base::server_domain(settings);
  options.greeting = settings.text("smtp.greeting");
  options.is_lmtp = settings.flag("smtp.lmtp");
  const auto& verify = settings.text("smtp.vrfy");
  options.verify = verify == "no" ? smtp::ServerOptions::Verify::Never : verify == "known" ? smtp::ServerOptions::Verify::Asked : smtp::ServerOptions::Verify::Always;
  if (options.verify == smtp::ServerOptions::Verify::Asked) options.asks |= smtp::bit(smtp::Stage::Verify);
  options.is_international_domain = [](std::string_view domain) {
    const auto ascii = net::to_a_labels(domain);
    return ascii && mail::check_domain(*ascii);  // letters that count for nothing may leave an empty label
  };
  if (!settings.words("smtp.etrn").empty()) options.extensions |= smtp::kEtrn;
  if (settings.flag("smtp.dsn")) options.extensions |= smtp::kDsn;
  options.bare_line_end =
      settings.text("smtp.bare_line_end") == "refuse" ? smtp::DotReader::BareLineEnd::Refuse : smtp::DotReader::BareLineEnd::Normalise;
  options.limits.message_octets = settings.octets("smtp.message_size_max");
  options.limits.recipients = settings.count("smtp.rcpt_count_max");
  options.limits.command_line_octets = settings.count("smtp.command_line_max");
  options.limits.text_line_octets = settings.count("smtp.text_line_max");
  options.limits.transactions = static_cast<unsigned>(settings.count("smtp.transaction_count_max"));
  options.limits.idle_commands = static_cast<unsigned>(settings.count("smtp.idle_command_max"));
  options.limits.soft_errors = static_cast<unsigned>(settings.count("smtp.error_soft_count"));
  options.limits.hard_errors = static_cast<unsigned>(settings.count("smtp.error_hard_count"));
  return options;
}

// How a service begins TLS: STARTTLS is offered, or required, or neither.
base::Result<void> set_security(smtp::ServerOptions& options, const base::Settings& settings, std::string_view setting, bool has_certificate) {
  const auto& level = settings.text(setting);
  if (level == "encrypt" && !has_certificate) return base::fail(base::Fault::Config, std::string(setting) + " = encrypt needs tls.certificate");
  if (level != "none" && has_certificate) options.extensions |= smtp::kStartTls | smtp::kRequireTls;
  options.requires_tls = level == "encrypt";
  return {};
}

base::Result<SessionOptions> session_options_of_services(const base::Settings& settings, bool has_certificate) {
  auto standard = session_options(settings);
  if (const auto set = set_replies(settings, standard); !set) return std::unexpected(set.error());
  SessionOptions options;
  options.fill(standard);
  if (auto set = set_security(options[index(Service::Smtp)], settings, "tls.security_level", has_certificate); !set) return std::unexpected(set.error());
  const bool has_submission = !settings.words("smtp.listen_submission").empty() || settings.text("smtp.service") == "submission";
  auto set = set_security(options[index(Service::Submission)], settings, "tls.submission_security_level", has_certificate);
  if (has_submission && !set) return std::unexpected(set.error());
  const bool has_submissions = !settings.words("smtp.listen_submissions").empty() || settings.text("smtp.service") == "submissions";
  if (has_submissions && !has_certificate) return base::fail(base::Fault::Config, "smtp.listen_submissions needs tls.certificate");
  auto& submissions = options[index(Service::Submissions)];
  submissions.requires_tls = true;
  submissions.extensions |= smtp::kRequireTls;
  return options;
}

void offer(const AuthenticationConfiguration& authentication, Service service, smtp::ServerOptions& session) {
  session.extensions |= smtp::kAuth;
  session.mechanisms = authentication.mechanisms;
  session.auth_in_clear = authentication.in_clear;
  session.auth_required = service == Service::Smtp ? authentication.is_required_of_all : authentication.is_required_of_submission;
}

TimeLimits time_limits(const base::Settings& settings) {
  return {
      .connect = settings.milliseconds("smtp.timeout_connect"),
      .helo = settings.milliseconds("smtp.timeout_helo"),
      .mail_from = settings.milliseconds("smtp.timeout_mail_from"),
      .rcpt_to = settings.milliseconds("smtp.timeout_rcpt_to"),
      .data = settings.milliseconds("smtp.timeout_data"),
      .data_total = settings.milliseconds("smtp.data_time_max"),
      .error_delay = settings.milliseconds("smtp.error_delay"),
      .stop = settings.milliseconds("smtp.stop_timeout"),
      .drain = settings.milliseconds("smtp.drain_timeout"),
      .handshake = settings.milliseconds("tls.handshake_timeout"),
      .line = settings.milliseconds("smtp.timeout_line"),
      .data_rate = settings.octets("smtp.data_rate_min"),
      .data_rate_time = settings.milliseconds("smtp.data_rate_time"),
  };
}

base::Result<PolicyConfiguration> policy_configuration(const base::Settings& settings) {
  PolicyConfiguration policy;
  auto policies = PolicyConfiguration::parse(settings.words("smtp.policy"));
  if (!policies) return std::unexpected(policies.error());
  policy.policies = std::move(*policies);
  auto action = chain::parse_action(settings.text("smtp.policy_default_action"));
  if (!action) return base::fail(base::Fault::Config, "smtp.policy_default_action: " + action.error().cause);
  policy.when_it_fails = std::move(*action);
  policy.limits = {.timeout_milliseconds = settings.milliseconds("smtp.policy_timeout"),
                   .idle_milliseconds = settings.milliseconds("smtp.policy_idle_max"),
                   .connections = settings.count("smtp.policy_connection_max")};
  return policy;
}

base::Result<VirtualHosts> virtual_hosts(const base::Settings& settings, const SessionOptions& sessions, const std::shared_ptr<net::tls::TicketKeys>& ticket_keys) {
  auto hosts = VirtualHosts::from(settings, sessions);
  if (!hosts) return hosts;
  for (auto& host : hosts->all) {
    if (host.addresses.empty()) continue;
    auto own = tls_context_of(host.domain, settings, ticket_keys);
    if (!own) return std::unexpected(own.error());
    host.tls = std::move(*own);
  }
  return hosts;
}

}  // namespace

base::Result<Configuration::Kept> Configuration::Kept::make(const base::Settings& settings) {
  Kept kept;
  kept.ticket_keys = net::tls::make_ticket_keys(settings.milliseconds("tls.ticket_lifetime"));
  auto ledger = Shield::ledger(settings);
  if (!ledger) return std::unexpected(ledger.error());
  kept.ledger = std::move(*ledger);
  return kept;
}

base::Result<std::shared_ptr<const Configuration>> Configuration::from(const base::CommandLine& command_line, const Kept& kept) {
  const base::Settings& settings = command_line.settings;
  if (const auto checked = check_minima(settings); !checked) return std::unexpected(checked.error());
  auto relay = RelayPolicy::from(settings);
  if (!relay) return std::unexpected(relay.error());

  auto policy = policy_configuration(settings);
  if (!policy) return std::unexpected(policy.error());

  auto authentication = AuthenticationConfiguration::from(settings, (policy->stages() & bit(smtp::Stage::Auth)) != 0);
  if (!authentication) return std::unexpected(authentication.error());

  auto configuration = std::make_shared<Configuration>();
  // Those with addresses of their own take part in the tickets of the others.
  const auto ticket_keys = kept.ticket_keys ? kept.ticket_keys : net::tls::make_ticket_keys(settings.milliseconds("tls.ticket_lifetime"));
  auto tls = tls_context(settings, ticket_keys);
  if (!tls) return std::unexpected(tls.error());
  configuration->tls = std::move(*tls);
  const auto services = session_options_of_services(settings, configuration->tls != nullptr);
  if (!services) return std::unexpected(services.error());
  configuration->sessions = *services;
  for (std::size_t i = 0; i < configuration->sessions.size(); ++i) {
    auto& session = configuration->sessions[i];
    if (!authentication->mechanisms.empty()) offer(*authentication, static_cast<Service>(i), session);
    session.asks |= policy->stages() | smtp::bit(smtp::Stage::Mail);  // for the log, the shield and the disk
    // The addresses that bounces of forwarded mail come back to are as long as a path can be.
    if (!settings.text("delivery.srs_domain").empty()) session.address_rules.max_local_part_octets = session.address_rules.max_path_octets;
  }
  if (const auto chosen = choose_extensions(settings, configuration->sessions); !chosen) return std::unexpected(chosen.error());
  for (auto& session : configuration->sessions) session.prepare();
  configuration->time = time_limits(settings);
  configuration->relay = std::move(*relay);
  configuration->policy = std::move(*policy);
  if (!authentication->mechanisms.empty()) configuration->authentication = std::make_shared<const AuthenticationConfiguration>(std::move(*authentication));
  configuration->message = {.memory_octets = settings.octets("smtp.message_memory_max"),
                            .memfd_octets = settings.octets("smtp.message_memfd_max"),
                            .directory = settings.text("smtp.message_directory")};
  const auto& completed = settings.text("smtp.missing_fields");
  configuration->completes.fill(completed != "no");
  if (completed == "submission") configuration->completes[index(Service::Smtp)] = false;
  configuration->refuses_non_ascii_header = settings.text("smtp.non_ascii_header") == "refuse";
  configuration->chain = command_line.has_chain ? command_line.chain : settings.words("smtp.chain");
  if (configuration->chain.empty()) return base::fail(base::Fault::Usage, "no program behind --");
  configuration->etrn = settings.words("smtp.etrn");
  configuration->caller = {.timeout_milliseconds = settings.milliseconds("smtp.chain_timeout"),
                           .processes = settings.count("smtp.chain_process_max"),
                           .inline_octets = settings.octets("smtp.message_memory_max")};
  if (kept.ledger) {
    auto shield = Shield::from(settings, kept.ledger);
    if (!shield) return std::unexpected(shield.error());
    configuration->shield = std::move(*shield);
  }
  configuration->resources = ResourceLimits::from(settings);
  auto lists = DnsLists::from(settings);
  if (!lists) return std::unexpected(lists.error());
  configuration->lists = std::move(*lists);
  configuration->dns = net::dns::settings_of(settings);
  configuration->dns.timeout_milliseconds = settings.milliseconds("shield.dnsbl_timeout");
  for (std::size_t i = 0; i < kServiceNames.size(); ++i)
    if (configuration->lists && configuration->lists->action() == DnsLists::Action::Connect && configuration->lists->is_for(static_cast<Service>(i)))
      configuration->sessions[i].asks |= smtp::bit(smtp::Stage::Connect);
  auto hosts = virtual_hosts(settings, configuration->sessions, ticket_keys);
  if (!hosts) return std::unexpected(hosts.error());
  for (auto& host : hosts->all)
    if (host.dns) host.dns->timeout_milliseconds = configuration->dns.timeout_milliseconds;
  configuration->hosts = std::move(*hosts);
  configuration->clients_max = settings.count("server.client_count_max");
  configuration->sleeping_clients_max = settings.count("shield.tarpit_session_max");
  configuration->clients_per_address_max = settings.count("server.client_count_per_address_max");
  return configuration;
}

}  // namespace smtpd
