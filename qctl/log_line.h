// Lines of the system log (lib/base/log.h), read back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/clock.h"

namespace qctl {

struct LogLine {
  base::WallTime time;
  std::string program;  // "queue-run"
  std::string event;    // "delivery", "accepted"
  std::vector<std::pair<std::string, std::string>> fields;

  // "" when there is none of that name.
  [[nodiscard]] std::string_view field(std::string_view name) const;
};

// Text or JSON, with whatever a log keeper has put in front of it. nullopt: none of ours.
[[nodiscard]] std::optional<LogLine> parse_log_line(std::string_view line);

}  // namespace qctl
