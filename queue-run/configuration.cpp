#include "queue-run/configuration.h"

#include <algorithm>
#include <iterator>

#include "lib/base/command_line.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "queue-run/transports.h"

namespace run {
namespace {

using base::Settings;

constexpr unsigned kPauseJitterPercent = 10;

std::chrono::milliseconds duration(const Settings& settings, std::string_view name) {
  return std::chrono::milliseconds(settings.milliseconds(name));
}

base::Result<void> check(const Settings& settings) {
  constexpr auto kNotZero = std::to_array<std::string_view>({
      "queue.recipients_per_call", "queue.processes", "queue.destination_failures", "queue.messages_max", "queue.bounce_recipients_max", "queue.rules_concurrency",
  });
  for (const auto name : kNotZero)
    if (settings.count(name) == 0) return base::fail(base::Fault::Config, std::string(name) + ": 0; expected: at least 1");
  if (settings.milliseconds("queue.retry_min") == 0) return base::fail(base::Fault::Config, "queue.retry_min: 0; expected: more");
  if (settings.milliseconds("queue.retry_max") < settings.milliseconds("queue.retry_min"))
    return base::fail(base::Fault::Config, "queue.retry_max is less than queue.retry_min");
  return {};
}

base::Result<RulesSettings> rules_settings(const Settings& settings) {
  RulesSettings rules;
  rules.chain = settings.words("queue.rules");
  if (rules.chain.empty()) return rules;
  for (chain::WordsView rest = rules.chain; !rest.empty();) {
    const auto link = chain::first_link(rest);
    if (link.program.empty() || rest.back() == "--")
      return base::fail(base::Fault::Config, "queue.rules: expected: programs with their arguments, or unix:SOCKET, and -- between two");
    rest = link.rest;
  }
  rules.end = {"queue-inject", "--spool", settings.text("queue.spool"), "--replace"};
  rules.stages = {false, false};
  for (const auto& name : settings.words("queue.rules_stages")) {
    const auto stage = rules_stage_of(name);
    if (!stage) return base::fail(base::Fault::Config, "queue.rules_stages: '" + base::text::printable(name, 40) + "'; expected: postq, delivery");
    (*stage == RulesStage::Postq ? rules.stages.postq : rules.stages.delivery) = true;
  }
  const std::size_t calls = settings.count("queue.rules_concurrency");
  rules.limits.calls = rules.limits.calls_per_destination = has_program(rules.chain) ? std::min(calls, settings.count("queue.processes")) : calls;
  rules.timeout_milliseconds = settings.milliseconds("queue.rules_timeout");
  return rules;
}

base::Result<DelegationSettings> delegation_settings(const Settings& settings) {
  const auto lost = lost_of(settings.text("queue.delegation_lost"));
  if (!lost) return base::fail(base::Fault::Config, "queue.delegation_lost: expected: again, hold, fail, drop");
  const auto time = duration(settings, "queue.delegation_time");
  if (time < std::chrono::seconds(1)) return base::fail(base::Fault::Config, "queue.delegation_time: expected: at least 1s");
  return DelegationSettings{time, *lost};
}

base::Result<NoticeSettings> notice_settings(const Settings& settings) {
  NoticeSettings notices;
  notices.is_on = settings.flag("queue.bounce");
  notices.server = base::server_domain(settings);
  notices.postmaster = settings.text("queue.postmaster");
  if (!notices.postmaster.empty() && !mail::parse_mailbox(notices.postmaster, {.smtputf8 = true}))
    return base::fail(base::Fault::Config, "queue.postmaster: '" + base::text::printable(notices.postmaster, 100) + "'; expected: an address, or nothing");
  notices.return_octets = settings.octets("queue.bounce_size_max");
  notices.recipients = settings.count("queue.bounce_recipients_max");
  notices.delay_warning = duration(settings, "queue.delay_warning");
  if (const auto& folder = settings.text("queue.bounce_templates"); !folder.empty()) {
    auto texts = NoticeTexts::load(folder);
    if (!texts) return base::fail(base::Fault::Config, "queue.bounce_templates: " + texts.error().cause);
    notices.texts = std::move(*texts);
  }
  return notices;
}

}  // namespace

base::Result<Runner::Settings> configure(const Settings& settings) {
  const auto checked = check(settings);
  if (!checked) return std::unexpected(checked.error());
  Runner::Settings runner;
  runner.messages_max = settings.count("queue.messages_max");
  runner.stop_timeout = settings.milliseconds("queue.stop_timeout");

  auto& deliveries = runner.deliveries;
  deliveries.routes = {mail::DomainList(settings.words("delivery.local_domains")), settings.text("remote.relay_host"), settings.count("queue.recipients_per_call")};
  auto transports = transports_of(settings);
  if (!transports) return std::unexpected(transports.error());
  deliveries.calls.processes = 0;
  for (auto& [settings_of_one, of_route] : *transports) {
    deliveries.calls.processes += settings_of_one.limits.calls;
    deliveries.transports.push_back(std::move(settings_of_one));
    deliveries.routes.transports.push_back(std::move(of_route));
  }
  auto ways = ways_of(settings, deliveries.transports);
  if (!ways) return std::unexpected(ways.error());
  deliveries.routes.ways = std::move(*ways);
  auto srs = mail::Srs::from(settings);
  if (!srs) return std::unexpected(srs.error());
  auto own = settings.words("delivery.local_domains");
  std::ranges::copy(settings.words("smtp.relay_domains"), std::back_inserter(own));
  deliveries.addresses = {std::move(*srs), mail::DomainList(own)};
  deliveries.retry = {duration(settings, "queue.retry_min"), duration(settings, "queue.retry_max"), duration(settings, "queue.lifetime")};
  deliveries.schedule = {static_cast<unsigned>(std::min<std::uint64_t>(settings.count("queue.destination_failures"), 1000)),
                         settings.milliseconds("queue.destination_pause"), settings.milliseconds("queue.destination_pause_max"),
                         settings.milliseconds("queue.transport_patience"), kPauseJitterPercent};
  deliveries.retry.warning = duration(settings, "queue.delay_warning");
  auto rules = rules_settings(settings);
  if (!rules) return std::unexpected(rules.error());
  deliveries.rules = std::move(*rules);
  const auto delegation = delegation_settings(settings);
  if (!delegation) return std::unexpected(delegation.error());
  deliveries.delegation = *delegation;
  auto notices = notice_settings(settings);
  if (!notices) return std::unexpected(notices.error());
  deliveries.notices = std::move(*notices);
  deliveries.calls.timeout_milliseconds = settings.milliseconds("queue.delivery_timeout");
  return runner;
}

}  // namespace run
