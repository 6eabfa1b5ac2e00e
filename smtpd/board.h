// What the workers of a server share with their parent, in memory that outlives a restart.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace smtpd {

// Of a worker.
struct Slot {
  std::atomic<std::uint32_t> beats;  // signs of life
  std::atomic<std::uint32_t> sessions;
};

struct Board {
  static constexpr std::size_t kSlots = 256;
  std::uint64_t magic, octets;
  std::array<Slot, kSlots> slots;
};

// A board in a file of memory, mapped for good. `file` is that of the predecessor, or not open: then it becomes a new one, as it does when the
// other one has another form.
[[nodiscard]] base::Result<Board*> map_board(base::UniqueFd& file);

}  // namespace smtpd
