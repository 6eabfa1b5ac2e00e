// Where the writer's next segment comes from: one that queue-run gave back, or a new one. It is made ready, with a new
// nonce, before it gets a name that counts. New ones are made in a thread, one ahead: to write 64 MB takes a while.
#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/spool.h"

namespace queue {

// A segment that is durable, empty, and named log/NUMBER.log.
struct FreshSegment {
  base::UniqueFd file;
  std::uint64_t number = 0;
  std::uint64_t nonce = 0;
};

class SegmentSupply {
 public:
  // The caller holds the lock of the writer. `after`: no number up to this one is used.
  [[nodiscard]] static base::Result<SegmentSupply> open(const Spool& spool, std::uint64_t segment_octets, std::uint64_t after);
  SegmentSupply(SegmentSupply&&) noexcept = default;
  SegmentSupply& operator=(SegmentSupply&&) = delete;
  ~SegmentSupply();

  [[nodiscard]] std::uint64_t next_number() const { return next_number_; }
  // Waits for the thread when it is at work and there is no other.
  [[nodiscard]] base::Result<FreshSegment> take();

 private:
  SegmentSupply(const Spool& spool, std::uint64_t segment_octets) : folder_(spool.path() + "/log/"), segment_octets_(segment_octets) {}
  [[nodiscard]] base::Result<std::string> free_segment();  // its path, "" when there is none
  void make_one_ahead();
  void wait_for_maker();

  std::string folder_;
  std::uint64_t segment_octets_;
  std::uint64_t next_number_ = 1;
  std::thread maker_;
};

}  // namespace queue
