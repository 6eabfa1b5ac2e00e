// What queue-run counts, from its start: see METRICS in queue-run(8).
#pragma once

#include <array>
#include <cstdint>

#include "queue-run/results.h"

namespace run {

struct Counters {
  std::array<std::uint64_t, kStatuses.size()> results{};  // recipients of attempts, by Status
  std::uint64_t calls = 0;        // of transports, that were answered
  std::uint64_t unavailable = 0;  // that could not be made
  std::uint64_t put_off = 0;      // without a try: the destination is suspended
  std::uint64_t attempts_fresh = 0, attempts_old = 0;  // messages taken in hand
};

}  // namespace run
