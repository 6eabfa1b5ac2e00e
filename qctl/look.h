// Finding messages in the spool.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "qctl/entry.h"
#include "qctl/selection.h"

namespace qctl {

struct Looking {
  bool with_context = false;   // each entry has that of its message, so each message is read
  bool only_counts = false;    // what the catalog of deferred/ says is enough: its messages are not looked for one by one
  std::vector<queue::Foreign>* damaged = nullptr;  // takes what could not be read
};

// Each message that `selection` takes, queue by queue, as it is found, until `on_entry` returns false.
[[nodiscard]] base::Result<void> for_each(const queue::Spool& spool, const Selection& selection, base::WallTime now,
                                          const std::function<bool(const Entry&)>& on_entry, const Looking& looking = {});

// The same with all that is known of each, its message too.
[[nodiscard]] base::Result<void> for_each_seen(const queue::Spool& spool, const Selection& selection, base::WallTime now,
                                               const std::function<bool(const queue::Seen&)>& on_seen);

// Where a message is.
struct Target {
  queue::Id id;
  queue::Place place;
  bool is_in_log = false;
};

// The message of that id, or the only one whose id begins so; case is ignored.
// Fault::Permanent: "No such message 'ID' in queues at 'SPOOL'". Fault::Usage: several begin so.
[[nodiscard]] base::Result<Target> find_message(const queue::Spool& spool, std::string_view id_or_prefix);
// The same, read.
[[nodiscard]] base::Result<queue::Seen> find_seen(const queue::Spool& spool, std::string_view id_or_prefix);
// The place of a message that was there a moment ago. error_number ENOENT: it is gone.
[[nodiscard]] base::Result<Target> find_again(const queue::Spool& spool, const queue::Id& id);

}  // namespace qctl
