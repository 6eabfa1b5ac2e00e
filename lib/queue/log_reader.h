// The reading end of the log: what queue-run has. One a spool; the caller holds Spool::lock("queue-run").
//
// queue-run owns the results. They go to log/N.done, a text journal beside each segment, a line an event (progress.h)
// behind the message's id. When all messages of a segment that the writer has left are finished, the segment is given
// back to the writer as log/N.free.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/result.h"
#include "lib/queue/item.h"
#include "lib/queue/progress.h"
#include "lib/queue/spilling.h"
#include "lib/queue/spool.h"

namespace queue {

// A message that lives in the log.
struct LogItem {
  Item item;
  // A window of the segment. The segment is not given back while a copy of this Blob lives: drop it when done.
  base::Blob message;
  std::vector<Event> events;  // what an earlier queue-run recorded
};

class LogReader {
 public:
  struct Limits {
    std::size_t segments = 8;  // more are kept only by messages that poll() did not hand out yet
  };
  // Repairs what a crash left: a message that has a file of its own too is finished in the log; a journal without its
  // segment is removed. `spool` outlives the reader.
  [[nodiscard]] static base::Result<LogReader> open(Spool& spool, const Limits& limits);
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

  // The next messages, at most `limit`, oldest first; each is handed out once. After open() these are all that are live.
  // Fewer than `limit`: that was all for now, wait for the Trigger.
  [[nodiscard]] base::Result<std::vector<LogItem>> poll(std::size_t limit);
  // Whether `id` was handed out and is not finished.
  [[nodiscard]] bool holds(const Id& id) const;
  // Whether `id` is anywhere in the log and not finished; for Spool::repair() after open(). Reads all of the backlog.
  [[nodiscard]] base::Result<std::vector<Id>> live_ids();

  // Notes a result. Kept in memory until write_results(); lost with the process before that, and with the machine
  // before sync_results(): then the recipient gets the message twice.
  void record(const Id& id, const Event& event);
  // Nothing more to do for this message: the last result was recorded, or nobody wants it (qctl).
  void finish(const Id& id);
  [[nodiscard]] base::Result<void> write_results();  // one write(2) a segment: once a turn of the loop
  [[nodiscard]] base::Result<void> sync_results();   // one fdatasync a changed segment: every 100 ms when needs_sync()
  [[nodiscard]] bool needs_sync() const;

  // Gives messages files of their own in `place`, with their progress, durably, and finishes them in the log. The files
  // share their syncs: put off many at once rather than one by one. `modified`: see Spool::move(). A message that has
  // nothing to spill (not held here) is an error. On failure those that were not finished stay in the log.
  struct Spill {
    Id id;
    Place place;
    std::optional<base::WallTime> modified = std::nullopt;
  };
  [[nodiscard]] base::Result<void> spill(std::span<const Spill> spills);
  // The same in steps, so that Spilling::write() can wait for the disk in a thread. The spool and the reader outlive it, and
  // until end_spill() nothing else happens to these messages. end_spill() also after a failure: then they stay in the log.
  [[nodiscard]] base::Result<Spilling> begin_spill(std::span<const Spill> spills) const;
  [[nodiscard]] base::Result<void> end_spill(const Spilling& spilling);

  // Messages that keep the oldest segments from being used again while there are more than Limits::segments of them:
  // the caller spills them to the state that they are in (deliver/ for those whose delivery is going on).
  [[nodiscard]] std::vector<Id> crowding() const;
  // Gives back what is finished. After sync_results(); cheap when there is nothing to do.
  [[nodiscard]] base::Result<void> free_segments();

 private:
  struct Internal;
  explicit LogReader(std::unique_ptr<Internal> internal);
  std::unique_ptr<Internal> internal_;
};

}  // namespace queue
