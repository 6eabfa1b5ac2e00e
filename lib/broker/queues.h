// The queues of a spool on a broker: one for each state, as the spool in a folder has one folder for each (vsmtp-spool(5)).
// No I/O.
//
//   PREFIX.working             taken, not tried yet
//   PREFIX.deliver             to be delivered now: parts of a message, what an operator released
//   PREFIX.deferred.SECONDS    put off: after that time the broker itself moves its messages to
//   PREFIX.deferred            due again
//   PREFIX.hold  PREFIX.dead  PREFIX.delegated  PREFIX.quarantine/NAME
//
// All are quorum queues: what they confirm is on the disks of a majority of their nodes. Waiting times are powers of two, since the
// messages of one queue must all wait for as long; a message waits in several one after the other until its time has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/queue/place.h"

namespace broker {

struct QueueSpec {
  std::string name;
  std::optional<std::uint64_t> ttl_milliseconds;  // of its messages
  std::string dead_letter_queue;                  // where they go then, and when they are refused; "": nowhere
};

class Queues {
 public:
  explicit Queues(std::string prefix) : prefix_(std::move(prefix)) {}

  // 1 to 100 of A-Z a-z 0-9 . _ -.
  static bool is_prefix(std::string_view prefix);

  // Of a message that is due in `place`. State::Deferred: it is due.
  [[nodiscard]] std::string of(const queue::Place& place) const { return prefix_ + "." + place.folder(); }
  // Of one that waits: of the longest time that is not longer than `wait`, at least a second.
  [[nodiscard]] std::string waiting(std::chrono::seconds wait) const;
  [[nodiscard]] std::string waiting_step(unsigned step) const;
  static constexpr std::size_t kMostNameOctets = 255;  // a short string of AMQP
  static constexpr unsigned kSteps = 18;  // the last one waits 2^17 seconds, a day and a half

  // Where a message of `place` goes that is to be tried at `due`.
  [[nodiscard]] std::string of(const queue::Place& place, std::optional<base::WallTime> due, base::WallTime now) const;

  // For how much longer a message waits that has come out of the queue where it was put to wait for `wait`. No clock is asked but
  // to make it shorter: it may have been set back, or be another host's.
  [[nodiscard]] static std::chrono::milliseconds left_to_wait(std::optional<base::WallTime> due, std::optional<std::chrono::milliseconds> wait, base::WallTime now);

  // Which place a queue of this prefix is for; nullopt: none. A queue of those that wait is Deferred.
  [[nodiscard]] std::optional<queue::Place> place_of(std::string_view queue) const;
  [[nodiscard]] bool is_waiting(std::string_view queue) const;

  [[nodiscard]] QueueSpec spec(const std::string& queue) const;
  // What queue-run reads, and where that leads.
  [[nodiscard]] std::vector<std::string> served() const;
  [[nodiscard]] std::vector<std::string> all_known() const;  // all but those of quarantines

 private:
  std::string prefix_;
};

}  // namespace broker
