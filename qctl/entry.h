// What qctl knows of a message from its envelope, context and sidecar; the message itself is read only by cat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"

namespace qctl {

struct Entry {
  std::string id;
  std::string queue;  // "working" ... "dead", "quarantine/NAME"
  bool is_in_log = false;
  std::uint64_t octets = 0;  // of the message
  base::WallTime arrival;
  std::optional<base::WallTime> next_attempt;
  std::string reverse_path;
  std::vector<std::string> recipients;  // those that have neither got it nor failed for good
  std::string helo;
  std::string reason;  // of the last attempt that did not deliver
};

}  // namespace qctl
