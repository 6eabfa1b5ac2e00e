#include "lib/queue/view.h"

#include <unordered_set>

#include "lib/queue/log_scan.h"
#include "lib/queue/visit.h"

namespace queue {

using base::Result;

namespace {

Listed listed_of(const LiveRecord& live) { return {live.item.id, {}, true, live.item_octets, live.item.arrived, live.item.arrived}; }

Result<Seen> open_file_item(const Spool& spool, const Entry& entry) {
  auto stored = spool.read(entry.place, entry.id);
  if (!stored) return std::unexpected(stored.error());
  auto events = spool.read_progress(entry.id);
  if (!events) return std::unexpected(events.error());
  return Seen{std::move(stored->item), std::move(stored->message), stored->place, false, std::move(*events), entry.modified};
}

Seen seen_in_log(LiveRecord& live, base::Blob message) {
  const auto arrived = live.item.arrived;
  return {std::move(live.item), std::move(message), {}, true, std::move(live.events), arrived};
}

bool is_gone(const base::Error& error) { return error.error_number == ENOENT; }

}  // namespace

Listed listed_of(const Entry& entry) { return {entry.id, entry.place, false, entry.file_octets, entry.arrived, entry.modified}; }

Result<void> View::list(const Place& place, const std::function<bool(const Listed&)>& on_listed, std::vector<Foreign>* foreign) const {
  const bool with_log = place.state == State::Working;
  std::unordered_set<Id> seen;
  bool more = true;
  const auto on_entry = [&](const Entry& entry) {
    if (with_log) seen.insert(entry.id);
    return more = on_listed(listed_of(entry));
  };
  const auto listed = spool_->list(place, on_entry, foreign);
  if (!listed || !more || !with_log) return listed;
  return scan_log(*spool_, [&](const LiveRecord& live) { return !seen.insert(live.item.id).second || on_listed(listed_of(live)); });
}

Result<void> View::visit(const Place& place, const Visitor& visitor, std::vector<Foreign>* foreign) const {
  const bool with_log = place.state == State::Working;
  std::unordered_set<Id> seen;
  bool more = true;
  const Visitor of_folder{visitor.wants, visitor.wants_item, [&](const Seen& one) {
                            if (with_log) seen.insert(one.item.id);
                            return more = visitor.on_seen(one);
                          }, visitor.keeps_message};
  const auto visited = FolderVisit(*spool_, place, of_folder, foreign).run();
  if (!visited || !more || !with_log) return visited;
  return scan_log(*spool_, [&](LiveRecord& live) {
    if (seen.contains(live.item.id) || (visitor.wants && !visitor.wants(listed_of(live))) || (visitor.wants_item && !visitor.wants_item(live.item))) return true;
    seen.insert(live.item.id);
    return visitor.on_seen(seen_in_log(live, visitor.keeps_message ? base::Blob::of_octets(std::string(live.message)) : base::Blob()));
  });
}

Result<Seen> View::find(const Id& id) const {
  // Files first and last: between the two looks a message may have left the log for a file.
  for (int round = 0; round < 2; ++round) {
    const auto entry = spool_->find(id);
    if (!entry) return std::unexpected(entry.error());
    if (*entry) {
      auto item = open_file_item(*spool_, **entry);
      if (!item && is_gone(item.error())) continue;  // it moves
      return item;
    }
    std::optional<Seen> seen;
    const auto scanned = scan_log(*spool_, [&](LiveRecord& live) {
      if (live.item.id == id) seen = seen_in_log(live, base::Blob::of_octets(std::string(live.message)));
      return !seen;
    });
    if (!scanned) return std::unexpected(scanned.error());
    if (seen) return std::move(*seen);
  }
  errno = ENOENT;
  return base::fail_errno("message " + id.string(), base::Fault::Permanent);
}

}  // namespace queue
