#include "lib/queue/view.h"

#include <unordered_set>

#include "lib/queue/log_scan.h"

namespace queue {

using base::Result;

namespace {

Listed listed_of(const Entry& entry) { return {entry.id, entry.place, false, entry.file_octets, entry.arrived, entry.modified}; }
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

Result<void> View::visit(const Place& place, const std::function<bool(const Listed&)>& wants, const std::function<bool(const Seen&)>& on_seen,
                         std::vector<Foreign>* foreign, Message message) const {
  const bool with_log = place.state == State::Working;
  std::unordered_set<Id> seen;
  bool more = true;
  const auto on_entry = [&](const Entry& entry) {
    if (with_log) seen.insert(entry.id);
    if (!wants(listed_of(entry))) return true;
    auto item = open_file_item(*spool_, entry);
    if (item) {
      if (message == Message::Dropped) item->message = {};
      return more = on_seen(*item);
    }
    if (!is_gone(item.error()) && foreign != nullptr) foreign->push_back({place.folder() + "/" + entry.id.string(), item.error().cause});
    return true;
  };
  const auto listed = spool_->list(place, on_entry, foreign);
  if (!listed || !more || !with_log) return listed;
  return scan_log(*spool_, [&](LiveRecord& live) {
    if (!seen.insert(live.item.id).second || !wants(listed_of(live))) return true;
    return on_seen(seen_in_log(live, message == Message::Dropped ? base::Blob() : base::Blob::of_octets(std::string(live.message))));
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
