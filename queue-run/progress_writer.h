// Records of messages in files. A mailing to many destinations has many results at once: those of a turn of the loop share a sync of
// their file, and all files one of their folder.
#pragma once

#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lib/base/result.h"
#include "lib/queue/spool.h"

namespace run {

class ProgressWriter {
 public:
  explicit ProgressWriter(queue::Spool& spool) : spool_(spool) {}

  // Survives the end of this process; a power cut after one of the others. What may be lost in one is not synced at all.
  [[nodiscard]] base::Result<void> append(const queue::Id& id, std::span<const queue::Event> events);
  // Of one message: before its file is moved.
  [[nodiscard]] base::Result<void> sync(const queue::Id& id);
  // Of all. What failed is written once more by the next call: the kernel would say of the old octets that all is well.
  [[nodiscard]] base::Result<void> sync();
  [[nodiscard]] bool has_unsynced() const { return !unsynced_.empty(); }
  // The message has gone, and its record will.
  void forget(const queue::Id& id) {
    named_.erase(id);
    unsynced_.erase(id);
  }

 private:
  struct Unsynced {
    std::vector<queue::Event> events;
    base::UniqueFd file;  // closed: a sync has failed
  };
  using Rows = std::unordered_map<queue::Id, Unsynced>;
  [[nodiscard]] base::Result<void> sync(std::span<const Rows::iterator> rows);
  [[nodiscard]] base::Result<void> sync_file(const queue::Id& id, Unsynced& unsynced) const;

  queue::Spool& spool_;
  Rows unsynced_;
  std::unordered_set<queue::Id> named_;  // the names of their files are durable
};

}  // namespace run
