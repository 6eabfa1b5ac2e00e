// How far the log is committed: the file log/committed, two words. The writer stores after each fdatasync and before it
// answers; so what is before the mark is durable, and acknowledged or about to be. It is never synced: after a power cut
// the mark may be older than the truth, never newer. Written and read by system calls, not mapped: on a disk that fails
// or is full that is an error, where a mapping is a SIGBUS.
#pragma once

#include <cstdint>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/spool.h"

namespace queue {

struct LogPosition {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;  // of the first octet that is not committed; a multiple of the page size

  friend auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

class CommitMark {
 public:
  // Both make the file when it is missing.
  [[nodiscard]] static base::Result<CommitMark> open_for_writing(const Spool& spool);
  [[nodiscard]] static base::Result<CommitMark> open_for_reading(const Spool& spool);

  [[nodiscard]] base::Result<void> store(LogPosition position) const;
  [[nodiscard]] base::Result<LogPosition> load() const;  // {0, 0}: never stored

 private:
  explicit CommitMark(base::UniqueFd file) : file_(std::move(file)) {}
  base::UniqueFd file_;
};

}  // namespace queue
