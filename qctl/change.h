// Changing messages: which ones, what becomes of them, and telling about it. The commands move, hold, release, retry and remove
// are rows of it, and some of quarantine are.
#pragma once

#include <functional>
#include <string_view>

#include "qctl/entry.h"
#include "qctl/hand.h"
#include "qctl/session.h"

namespace qctl {

using States = unsigned;  // a bit each
constexpr States bit(queue::State state) { return 1U << static_cast<unsigned>(state); }

struct Operation {
  std::string_view name;
  std::string_view doing, done;  // of the progress bar, of the count at the end
  Wish::Kind kind;
  queue::State to;               // of a Move, when nothing else says where to
  States takes;                  // a message elsewhere is an error if it is named by its id
  States bulk_takes;             // of a selection that names no queue
  bool asks = false;             // before it begins, since there is no way back
};

// Where a message goes that is let go. One of a quarantine goes on where it stood when a rule set it aside: behind its stage.
[[nodiscard]] queue::Place released_to(const queue::Place& from, std::string_view context);

// The ids among the session's arguments, or its selection. `filter` is asked of each message of a selection.
using Filter = std::function<bool(const Entry&)>;
[[nodiscard]] base::Result<int> change(Session& session, const Operation& operation, const Filter& filter = {});

}  // namespace qctl
