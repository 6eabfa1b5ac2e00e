// Who keeps the messages that Deliveries works on: a spool (SpoolKeeper), or a broker. What a message is made of, when it is
// tried and what becomes of its recipients is the same for both.
#pragma once

#include <functional>
#include <vector>

#include "lib/base/result.h"
#include "lib/queue/replacement.h"
#include "queue-run/message.h"
#include "queue-run/notice.h"
#include "queue-run/schedule.h"

namespace run {

class Keeper {
 public:
  virtual ~Keeper() = default;

  // Called when a message is where its conclusion says; it may be destroyed then. Set before any message comes.
  std::function<void(Message&)> on_concluded;

  // Its octets are wanted, and until let_go() nobody else delivers, moves or removes it.
  [[nodiscard]] virtual base::Result<void> hold(Message& message) = 0;
  virtual void let_go(Message& message) = 0;

  // Records `unrecorded` of a message of which other recipients are still being tried.
  virtual void note(Message& message) = 0;
  // Sets the conclusion and carries it out, now or in a later flush().
  virtual void conclude(Message& message, Conclusion conclusion) = 0;
  // Whether it must be given a file (concluded to a place) before notices about it can be stored: its record stands beside that.
  [[nodiscard]] virtual bool needs_file_to_notify(const Message& message) const = 0;

  // Stores notices about the message and records it. They get their ids here. `done` is called from the loop when they are
  // stored, which is tried until it works.
  using Notified = std::function<void(const std::vector<Notice>&)>;
  virtual void store_notices(Message& message, Subject subject, std::vector<Notice> notices, Notified done) = 0;
  // Of a notice that was about to be stored when a crash came. What cannot be looked at is.
  [[nodiscard]] virtual bool is_stored(const queue::Id& notice) const = 0;

  // Another text of the message takes its place: what rules have made of it. `done`: it is where the replacement says; or (false)
  // somebody has moved or removed it, and nothing was stored. Tried until it works.
  virtual void replace(queue::Replacement replacement, std::function<void(bool is_stored)> done) = 0;
  // Why it could never be stored.
  [[nodiscard]] virtual base::Result<void> check(const queue::Replacement&) const { return {}; }
  // Whether a message of which rules have changed nothing is to be stored all the same before it goes to its recipients.
  [[nodiscard]] virtual bool must_divide(const Message&) const { return false; }
  // Whether a content filter can have it, and give it back.
  [[nodiscard]] virtual bool can_delegate() const = 0;

  // False: a delivery that started now could not be recorded.
  [[nodiscard]] virtual bool can_record() const = 0;
  [[nodiscard]] virtual base::Result<void> sync() = 0;
  // Once a turn of the loop. `at_end`: does not wait to share a sync.
  virtual void flush(Milliseconds now, bool at_end) = 0;
  [[nodiscard]] virtual Milliseconds wakes_at() const = 0;
  [[nodiscard]] virtual std::size_t unconcluded() const = 0;
  // Times that something was made durable.
  [[nodiscard]] virtual std::uint64_t syncs() const { return 0; }
};

}  // namespace run
