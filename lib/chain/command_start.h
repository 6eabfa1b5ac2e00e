// Starting a process from any thread: vfork(2), as another user if wanted. Part of command.h.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>

#include "lib/base/result.h"
#include "lib/chain/command.h"

namespace chain {

struct Identity {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
};

// Who the command runs as: "user not found: 'U'", "group not found: 'G'".
[[nodiscard]] base::Result<Identity> find_identity(const Command& command);

// In a process group of its own; `descriptors` become 0, 1, 2 and so on, and must all be above these.
[[nodiscard]] base::Result<pid_t> start_process(const Command& command, std::span<const std::string> arguments, const Identity& identity,
                                                std::span<const int> descriptors);

}  // namespace chain
