#include "smtpd/configuration.h"

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

}  // namespace

base::Result<std::shared_ptr<const Configuration>> Configuration::from(const base::CommandLine& command_line) {
  const base::Settings& settings = command_line.settings;
  if (const auto checked = check_minima(settings); !checked) return std::unexpected(checked.error());
  auto relay = RelayPolicy::from(settings);
  if (!relay) return std::unexpected(relay.error());

  auto policy = policy_configuration(settings);
  if (!policy) return std::unexpected(policy.error());

  auto configuration = std::make_shared<Configuration>();
  configuration->session = session_options(settings);
  configuration->session.asks |= policy->stages();
  configuration->session.prepare();
  configuration->time = time_limits(settings);
  configuration->relay = std::move(*relay);
  configuration->policy = std::move(*policy);
  configuration->message = {.memory_octets = settings.octets("smtp.message_memory_max"),
                            .memfd_octets = settings.octets("smtp.message_memfd_max"),
                            .directory = settings.text("smtp.message_directory")};
  configuration->chain = command_line.has_chain ? command_line.chain : settings.words("smtp.chain");
  if (configuration->chain.empty()) return base::fail(base::Fault::Usage, "no program behind --");
  configuration->caller = {.timeout_milliseconds = settings.milliseconds("smtp.chain_timeout"),
                           .processes = settings.count("smtp.chain_process_max"),
                           .inline_octets = settings.octets("smtp.message_memory_max")};
  configuration->clients_max = settings.count("server.client_count_max");
  configuration->clients_per_address_max = settings.count("server.client_count_per_address_max");
  return configuration;
}

}  // namespace smtpd
