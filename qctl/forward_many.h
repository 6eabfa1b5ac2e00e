// Copies of quarantined messages put into the queue, many of which share their syncs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lib/queue/spool.h"

namespace qctl {

inline constexpr std::size_t kForwardedAtOnce = 64;

// The ids of the copies (forward.h), in the order of `ids`; durable on return, and noted in the history of the originals.
[[nodiscard]] std::vector<base::Result<queue::Id>> forward_many(queue::Spool& spool, std::span<const queue::Id> ids, const std::string& address,
                                                                const std::string& server);

}  // namespace qctl
