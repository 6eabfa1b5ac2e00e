// What sections [relay "DOMAIN"] say of how much mail their destinations take: keys connections and messages_per_minute.
#pragma once

#include <functional>

#include "lib/base/settings.h"
#include "queue-run/schedule.h"

namespace run {

// By HOST of the delivery call: that of a section with `host`, else the domain, by the most specific section that says something.
// A function that says nothing when no section does. Fault::Config names the place.
[[nodiscard]] base::Result<std::function<Schedule::DestinationLimits(std::string_view host)>> destination_limits(const base::Settings& settings);

}  // namespace run
