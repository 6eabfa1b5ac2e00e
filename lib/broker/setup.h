// The spool on a broker as vsmtp.ini describes it.
#pragma once

#include <array>
#include <string_view>

#include "lib/base/settings.h"
#include "lib/broker/steps.h"

namespace broker {

struct Setup {
  Address address;
  Making making;
  Connection::Settings connection;
  std::uint64_t message_octets = 0;  // of a body

  // When queue.spool is an address of a broker. `program` is told to the broker. Fault::Config.
  [[nodiscard]] static base::Result<Setup> from(const base::Settings& settings, std::string_view program);
};

// Rows that programs list in their manuals, beside queue.spool. queue.broker_prefetch is queue-run's alone.
inline constexpr std::array<std::string_view, 5> kSettings{"queue.broker_prefix", "queue.broker_password_file", "queue.broker_timeout", "queue.broker_settling", "queue.broker_message_limit"};

}  // namespace broker
