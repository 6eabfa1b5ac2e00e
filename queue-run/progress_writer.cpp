#include "queue-run/progress_writer.h"

#include <algorithm>
#include <utility>

#include "lib/base/durable.h"

namespace run {

base::Result<void> ProgressWriter::append(const queue::Id& id, std::span<const queue::Event> events) {
  const auto known = unsynced_.find(id);
  const bool has_failed = known != unsynced_.end() && !known->second.file.is_open();
  std::vector<queue::Event> lines;
  if (has_failed) lines = known->second.events;
  lines.insert(lines.end(), events.begin(), events.end());
  auto file = spool_.write_progress(id, lines);
  if (!file) return std::unexpected(std::move(file.error()));
  if (known == unsynced_.end() && std::ranges::none_of(events, queue::must_last, &queue::Event::kind)) return {};
  auto& unsynced = unsynced_[id];
  unsynced.file = std::move(*file);
  unsynced.events.insert(unsynced.events.end(), events.begin(), events.end());
  return {};
}

base::Result<void> ProgressWriter::sync_file(const queue::Id& id, Unsynced& unsynced) const {
  if (!unsynced.file.is_open()) {
    auto file = spool_.write_progress(id, unsynced.events);
    if (!file) return std::unexpected(std::move(file.error()));
    unsynced.file = std::move(*file);
  }
  auto synced = base::sync_data(unsynced.file.get(), spool_.progress_path(id));
  if (!synced) unsynced.file = {};
  return synced;
}

base::Result<void> ProgressWriter::sync(std::span<const Rows::iterator> rows) {
  base::Result<void> result;
  std::vector<Rows::iterator> synced;
  bool has_new_names = false;
  for (const auto row : rows) {
    if (auto done = sync_file(row->first, row->second); !done) {
      result = std::move(done);
      continue;
    }
    synced.push_back(row);
    has_new_names = has_new_names || !named_.contains(row->first);
  }
  if (has_new_names) {
    if (auto done = base::sync_directory(spool_.path() + "/progress"); !done) {
      for (const auto row : synced) row->second.file = {};
      return done;
    }
  }
  for (const auto row : synced) {
    named_.insert(row->first);
    unsynced_.erase(row);
  }
  return result;
}

base::Result<void> ProgressWriter::sync(const queue::Id& id) {
  const auto row = unsynced_.find(id);
  return row == unsynced_.end() ? base::Result<void>() : sync({&row, 1});
}

base::Result<void> ProgressWriter::sync() {
  std::vector<Rows::iterator> rows;
  for (auto row = unsynced_.begin(); row != unsynced_.end(); ++row) rows.push_back(row);
  return sync(rows);
}

}  // namespace run
