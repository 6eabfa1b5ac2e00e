// Messages of the log on their way to files of their own. LogReader::begin_spill() makes it, write() waits for the disk in any
// thread, LogReader::end_spill() takes note. A caller that cannot wait has several under way at once, and then the file
// system shares its flushes between them.
#pragma once

#include <optional>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/queue/place.h"
#include "lib/queue/progress.h"
#include "lib/queue/spool.h"

namespace queue {

class Spilling {
 public:
  // The files with their progress, durable on return. On failure some may be there, and are found there the next time.
  [[nodiscard]] base::Result<void> write();

 private:
  friend class LogReader;
  struct Message {
    Id id;
    Place place;
    std::optional<base::WallTime> modified;
    base::Blob item;            // a window of the segment
    std::vector<Event> events;  // for the progress file
  };
  explicit Spilling(const Spool& spool) : spool_(&spool) {}
  [[nodiscard]] base::Result<void> write_progress() const;

  const Spool* spool_;
  std::vector<Message> messages_;
  bool is_written_ = false;
};

}  // namespace queue
