// What the workers of a server share with their parent, in memory that outlives a restart.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "smtpd/meters.h"

namespace smtpd {

// Of a worker.
struct Slot {
  std::atomic<std::uint32_t> beats;  // signs of life
  std::atomic<std::uint32_t> sessions;
  std::atomic<std::uint32_t> is_taken;  // by a worker that is alive
};

struct Board {
  static constexpr std::size_t kSlots = 256;
  std::uint64_t magic, octets;
  std::uint64_t started;  // milliseconds since 1970: all counters were 0 then
  Meters meters;
  std::array<Slot, kSlots> slots;
};

// Of the workers that are there.
[[nodiscard]] Gauges gauges_of(const Board& board);

// A board in a file of memory, mapped for good. `file` is that of the predecessor, or not open: then it becomes a new one, as it does when the
// other one has another form.
[[nodiscard]] base::Result<Board*> map_board(base::UniqueFd& file);

}  // namespace smtpd
