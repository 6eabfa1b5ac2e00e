// The writing end of the log: many messages, one fdatasync. One a spool; queue-inject --resident has it.
#pragma once

#include <memory>

#include "lib/base/blob.h"
#include "lib/base/result.h"
#include "lib/queue/item.h"
#include "lib/queue/spool.h"

namespace queue {

class LogWriter {
 public:
  struct Limits {
    std::uint64_t segment_octets = 64 << 20;
  };
  // Takes lock "queue-inject" (waits a second for it: a reader may look, the last writer may be ending). Older segments are left to queue-run as they are: a writer never goes on in one it did
  // not begin, since behind its end there may be records that were never acknowledged. `spool` outlives the writer.
  [[nodiscard]] static base::Result<LogWriter> open(const Spool& spool, const Limits& limits);
  LogWriter(LogWriter&&) noexcept;
  LogWriter& operator=(LogWriter&&) noexcept;
  ~LogWriter();

  // Items larger than this (header, context, message) do not go into the log.
  [[nodiscard]] std::uint64_t max_item_octets() const;

  // Adds to the batch. The message is shared until commit(). false: there is no room, commit() first.
  [[nodiscard]] bool add(const Item& item, const base::Blob& message);
  [[nodiscard]] std::uint64_t batch_octets() const;
  // Success: all that was added since the last commit() is durable, queue-run may take it and was poked.
  // Failure: none of it is in the spool. After a failed sync nothing is known about the segment's pages: it is cut at
  // its committed end and closed, the next batch goes to another one; the sync is never tried again.
  [[nodiscard]] base::Result<void> commit();

 private:
  struct Internal;
  explicit LogWriter(std::unique_ptr<Internal> internal);
  std::unique_ptr<Internal> internal_;
};

}  // namespace queue
