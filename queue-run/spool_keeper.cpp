#include "queue-run/spool_keeper.h"

namespace run {

SpoolKeeper::SpoolKeeper(net::Loop& loop, queue::Spool& spool, queue::LogReader& log, const NoticeSettings& notices)
    : spool_(spool), log_(log), recorder_(loop, spool, log, [this](Message& message) { on_concluded(message); }), notifier_(loop, spool, notices), replacer_(loop, spool, log) {}

base::Result<void> SpoolKeeper::hold(Message& message) {
  auto stored = spool_.take(message.place, message.id);
  if (!stored) return std::unexpected(stored.error());
  message.octets = std::move(stored->message);
  message.is_held = true;
  return {};
}

// A file is locked while it is delivered, and only then: qctl may move one that waits, and descriptors are few.
void SpoolKeeper::let_go(Message& message) {
  if (message.is_in_log) return;
  message.octets = {};
  message.is_held = false;
}

void SpoolKeeper::store_notices(Message&, Subject subject, std::vector<Notice> notices, Notified done) {
  notifier_.store(std::move(subject), std::move(notices), std::move(done));
}

bool SpoolKeeper::is_stored(const queue::Id& notice) const {
  const auto entry = spool_.find(notice);
  return !entry || entry->has_value();
}

// With the journals of the log: what is removed there is only a line that waits to be written.
base::Result<void> SpoolKeeper::sync() {
  const auto synced = spool_.sync();
  return synced ? log_.sync_results() : synced;
}

void SpoolKeeper::flush(Milliseconds now, bool at_end) {
  if (!at_end) notifier_.flush(now);
  if (!at_end) replacer_.flush(now);
  recorder_.flush(now, at_end);
}

}  // namespace run
