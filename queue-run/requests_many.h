// A wish for many messages, as bulk changes of qctl have them: they share the wait for the disk.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/net/loop.h"
#include "queue-run/runner.h"

namespace run {

// Moves them to `to`, or forgets them. Answers a letter for each, in their order, as queue-run(8) lists them; at the latest after two seconds.
void change_each(net::Loop& loop, Runner& runner, std::span<const std::string> ids, const std::optional<queue::Place>& to,
                 std::function<void(base::Result<std::string>)> reply);

}  // namespace run
