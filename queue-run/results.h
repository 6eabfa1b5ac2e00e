// What a delivery call said, for each recipient, and what a message becomes after an attempt. No I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/chain/delivery_call.h"
#include "lib/queue/progress.h"
#include "queue-run/schedule.h"

namespace run {

enum class Status : std::uint8_t { Sent, Deferred, Failed };

struct StatusRow {
  Status status;
  std::string_view name;  // in the log
  queue::EventKind event;
};
inline constexpr auto kStatuses = std::to_array<StatusRow>({
    {Status::Sent,     "sent",     queue::EventKind::Sent},
    {Status::Deferred, "deferred", queue::EventKind::Deferred},
    {Status::Failed,   "failed",   queue::EventKind::Failed},
});
constexpr const StatusRow& row_of(Status status) { return kStatuses[static_cast<std::size_t>(status)]; }

struct Result {
  Status status = Status::Deferred;
  std::string text;
  chain::Reach reach = chain::Reach::Unsaid;  // when Sent
};

// What stands before a text that is not of this attempt.
inline constexpr std::string_view kGivenUp = "given up, too long in the queue; last: ";
inline constexpr std::string_view kNotTried = "not tried, suspended after: ";

// One for each recipient of the call. `gives_up`: the message is too old, what would be deferred has failed.
[[nodiscard]] std::vector<Result> results_of(const chain::DeliveryReport& report, bool gives_up);

// What the call says about its destination.
[[nodiscard]] Schedule::Ending ending_of(const chain::Outcome& outcome, const chain::DeliveryReport& report);

// Recipients of a message by how they ended, over all attempts.
struct Tally {
  std::size_t recipients = 0;
  std::size_t sent = 0;
  std::size_t failed = 0;

  [[nodiscard]] std::size_t open() const { return recipients - sent - failed; }
  void add(Status status);
};

enum class Fate : std::uint8_t {
  Gone,      // every recipient has it
  Deferred,  // some are still to be tried
  Dead,      // all is settled, and some recipients failed for good
};
[[nodiscard]] Fate fate_of(const Tally& tally);

}  // namespace run
