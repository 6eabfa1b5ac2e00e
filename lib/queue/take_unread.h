// The lock of a message file alone: for who moves and removes a hundred thousand of them and need not know what is in them.
#pragma once

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/spool.h"

namespace queue {

// As Spool::take(), whose errors it has; locked as long as the descriptor is open.
[[nodiscard]] base::Result<base::UniqueFd> take_unread(const Spool& spool, const Place& place, const Id& id);

}  // namespace queue
