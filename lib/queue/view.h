// All messages of a spool, those in files and those in the log alike, for whoever looks from outside (qctl). Changes
// nothing, takes no lock, may run beside all writers: a message may move or leave while it is looked at.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/queue/progress.h"
#include "lib/queue/spool.h"

namespace queue {

// A line of a listing.
struct Listed {
  Id id;
  Place place;           // of a message in the log: working
  bool is_in_log = false;
  std::uint64_t octets = 0;   // of the whole item
  base::WallTime arrived;
  base::WallTime modified;    // Place deferred: time of the next attempt
};

[[nodiscard]] Listed listed_of(const Entry& entry);

// A message with all that is known of it.
struct Seen {
  Item item;
  base::Blob message;   // from the log: a copy, since the segment may be used again
  Place place;
  bool is_in_log = false;
  std::vector<Event> events;
  base::WallTime modified;  // as in Listed
};

// What one wants to see. The first two may be left out, and are called by several threads at once.
struct Visitor {
  std::function<bool(const Listed&)> wants = {};      // by what is known before the file is read
  std::function<bool(const Item&)> wants_item = {};   // and before its progress is
  std::function<bool(const Seen&)> on_seen;           // false: no more
  bool keeps_message = false;
};

class View {
 public:
  explicit View(const Spool& spool) : spool_(&spool) {}

  // All that is in `place` (messages in the log count as working/), until `on_listed` returns false. Ids are not sorted.
  // No message is listed twice, though one may be missed or seen in its old state when it moves meanwhile.
  [[nodiscard]] base::Result<void> list(const Place& place, const std::function<bool(const Listed&)>& on_listed,
                                        std::vector<Foreign>* foreign = nullptr) const;
  // The same with each item read, its message left empty unless it shall be kept; for those who select by envelope, context or events. One pass
  // over the log for all of them. An item that cannot be read goes to `foreign`.
  [[nodiscard]] base::Result<void> visit(const Place& place, const Visitor& visitor, std::vector<Foreign>* foreign = nullptr) const;
  // error_number ENOENT: no such message.
  [[nodiscard]] base::Result<Seen> find(const Id& id) const;

 private:
  const Spool* spool_;
};

}  // namespace queue
