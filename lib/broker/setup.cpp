#include "lib/broker/setup.h"

#include <algorithm>

#include "lib/base/text.h"

namespace broker {

base::Result<Setup> Setup::from(const base::Settings& settings, std::string_view program) {
  auto address = parse_address(settings.text("queue.spool"));
  if (!address) return std::unexpected(address.error());
  if (const auto& file = settings.text("queue.broker_password_file"); !file.empty())
    if (const auto read = read_password(*address, file); !read) return std::unexpected(read.error());
  const auto& prefix = settings.text("queue.broker_prefix");
  if (!Queues::is_prefix(prefix))
    return base::fail(base::Fault::Config, "queue.broker_prefix: '" + base::text::printable(prefix, 100) + "'; expected: 1 to 100 of A-Z a-z 0-9 . _ -");
  const auto timeout = settings.milliseconds("queue.broker_timeout");
  if (timeout < 100 || timeout > 3'600'000) return base::fail(base::Fault::Config, "queue.broker_timeout: expected: 100ms to 1h");
  const auto settling = settings.milliseconds("queue.broker_settling");
  if (settling > 600'000) return base::fail(base::Fault::Config, "queue.broker_settling: expected: 0 to 10m");
  Setup setup;
  setup.address = std::move(*address);
  setup.making = {Queues(prefix), std::chrono::milliseconds(settling)};
  setup.connection.timeout = std::chrono::milliseconds(timeout);
  setup.connection.heartbeat_seconds = static_cast<unsigned>(std::clamp<std::uint64_t>(timeout / 1000, 5, 60));
  setup.connection.name = program;
  setup.message_octets = settings.octets("queue.broker_message_limit");
  return setup;
}

}  // namespace broker
