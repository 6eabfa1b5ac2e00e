#include "lib/queue/spilling.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "lib/base/durable.h"

namespace queue {

using base::Result;

// Durable where it says that a recipient is settled, as Spool::append_progress().
Result<void> Spilling::write_progress() const {
  std::vector<base::UniqueFd> settling;
  for (const auto& message : messages_) {
    if (message.events.empty()) continue;
    // One that an earlier, unfinished spill left would double the events.
    (void)::unlink(spool_->progress_path(message.id).c_str());
    auto file = spool_->write_progress(message.id, message.events);
    if (!file) return std::unexpected(file.error());
    if (std::ranges::any_of(message.events, must_last, &Event::kind)) settling.push_back(std::move(*file));
  }
  for (const auto& file : settling)
    if (const auto synced = base::sync_data(file.get(), "progress of a message"); !synced) return synced;
  return settling.empty() ? Result<void>() : base::sync_directory(spool_->path() + "/progress");
}

Result<void> Spilling::write() {
  // Before the messages have files, which are then all that counts.
  if (const auto written = write_progress(); !written) return written;
  std::vector<Draft> drafts;
  for (const auto& message : messages_) {
    (void)::unlink((spool_->path() + "/tmp/" + message.id.string()).c_str());
    auto draft = Draft::begin(*spool_, message.id);
    if (!draft) return std::unexpected(draft.error());
    if (const auto written = draft->write(message.item); !written) return written;
    draft->start_writing();
    drafts.push_back(std::move(*draft));
  }
  for (auto& draft : drafts)
    if (const auto synced = draft.sync(); !synced) return synced;
  std::set<Place> places;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const auto published = drafts[i].publish(*spool_, messages_[i].place, messages_[i].modified);
    if (!published && published.error().error_number != EEXIST) return published;
    places.insert(messages_[i].place);
  }
  for (const auto& place : places)
    if (const auto synced = spool_->sync_folder(place); !synced) return synced;
  is_written_ = true;
  return {};
}

}  // namespace queue
