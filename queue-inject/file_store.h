// Messages into files of the spool, durably, with qmail-queue's exit code for each failure.
#pragma once

#include <expected>
#include <span>
#include <vector>

#include "lib/queue/spool.h"
#include "queue-inject/exit_codes.h"
#include "queue-inject/intake.h"

struct StoreFailure {
  Step step;
  base::Error error;
};
using Stored = std::expected<void, StoreFailure>;

// Opens the spool; the step tells a missing one from a broken one.
[[nodiscard]] std::expected<queue::Spool, StoreFailure> open_spool(const std::string& where);

// Stores them together: all are written, then synced, then named, and each folder is synced once. One result for each.
// May be called in several threads at once.
[[nodiscard]] std::vector<Stored> store(const queue::Spool& spool, std::span<const Accepted> messages);
