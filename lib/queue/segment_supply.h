// Where the writer's next segment comes from: one that queue-run gave back, or a new one. It is made ready, with a new
// nonce, before it gets a name that counts.
#pragma once

#include <cstdint>
#include <string>

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
  [[nodiscard]] std::uint64_t next_number() const { return next_number_; }
  [[nodiscard]] base::Result<FreshSegment> take();

 private:
  SegmentSupply(const Spool& spool, std::uint64_t segment_octets) : spool_(&spool), segment_octets_(segment_octets) {}
  [[nodiscard]] base::Result<std::string> free_segment();
  [[nodiscard]] base::Result<std::string> new_segment();

  const Spool* spool_;
  std::uint64_t segment_octets_;
  std::uint64_t next_number_ = 1;
};

}  // namespace queue
