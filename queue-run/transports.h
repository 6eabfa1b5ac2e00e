// The table of transports and the ways to them, from vsmtp.ini: queue.local_transport, queue.remote_transport, and the
// sections [transport "NAME"] and [relay "DOMAIN"].
#pragma once

#include <string>
#include <vector>

#include "lib/base/settings.h"
#include "lib/chain/message_call.h"
#include "queue-run/route.h"
#include "queue-run/schedule.h"

namespace run {

struct TransportSettings {
  std::string name;  // in logs, and for [relay] sections and rules
  chain::Words program;
  Schedule::TransportLimits limits;
};

struct TransportRow {
  TransportSettings settings;
  Router::Table::OfTransport of_route;
};

// By Transport. Fault::Config names the place.
[[nodiscard]] base::Result<std::vector<TransportRow>> transports_of(const base::Settings& settings);

[[nodiscard]] base::Result<mail::DomainMap<Router::Way>> ways_of(const base::Settings& settings, const std::vector<TransportSettings>& transports);

}  // namespace run
