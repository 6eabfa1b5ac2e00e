// The settings of vsmtp.ini that queue-run uses, as its parts want them.
#pragma once

#include <array>
#include <string_view>

#include "lib/base/settings.h"
#include "queue-run/deliveries.h"
#include "queue-run/runner.h"

namespace run {

inline constexpr auto kSettings = std::to_array<std::string_view>({
    "queue.spool", "queue.broker_prefix", "queue.broker_password_file", "queue.broker_timeout", "queue.broker_settling", "queue.broker_message_limit", "queue.broker_prefetch",
    "delivery.local_domains", "delivery.srs_domain", "delivery.srs_secret_file", "delivery.srs_hash_length", "delivery.srs_max_age", "smtp.relay_domains",
    "queue.local_transport", "queue.remote_transport", "queue.remote_transport_urls", "remote.relay_host",
    "queue.rules", "queue.rules_stages", "queue.rules_concurrency", "queue.rules_timeout",
    "queue.delegation_time", "queue.delegation_lost",
    "queue.recipients_per_call", "queue.local_concurrency", "queue.remote_concurrency", "queue.destination_concurrency",
    "queue.destination_concurrency_start", "queue.destination_rate_delay", "queue.metrics",
    "queue.processes", "queue.delivery_timeout", "queue.retry_min", "queue.retry_max", "queue.lifetime",
    "queue.destination_failures", "queue.destination_pause", "queue.destination_pause_max", "queue.transport_patience",
    "queue.messages_max", "queue.stop_timeout", "queue.bounce", "queue.postmaster", "queue.bounce_size_max", "queue.bounce_recipients_max",
    "queue.delay_warning", "queue.bounce_templates", "server.domain",
});

// Fault::Config: values that are sound each, but not together or here.
[[nodiscard]] base::Result<Runner::Settings> configure(const base::Settings& settings);

}  // namespace run
