// What one asks of the queue-run that has a spool, and its answers: qctl's way to the messages that queue-run holds, since
// they live in the log or are being delivered. Message calls to the resident socket SPOOL/queue-run.sock with a command as
// arguments (queue-run(8)); the log's FIFO (trigger.h) takes some of the same wishes without an answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/queue/id.h"
#include "lib/queue/place.h"
#include "lib/queue/spool.h"

namespace chain {
struct Call;
struct Outcome;
}

namespace queue {

inline constexpr std::string_view kControlSocket = "queue-run.sock";
inline constexpr std::string_view kLater = "later";  // the answer of uncataloged() when it will have one in a moment

// The same as Control::replace() at the socket of a queue-run that has no folder: its spool is on a broker.
[[nodiscard]] base::Result<void> replace_through(const std::string& socket, const Id& id, chain::Call call, std::uint64_t timeout_milliseconds = 30'000);

// What the end of such a call says, for who makes them from a loop. ENOENT, ETIMEDOUT as below.
[[nodiscard]] base::Result<std::string> answer_in(chain::Outcome outcome);

// Errors of all requests: error_number ECONNREFUSED: no queue-run has this spool (what is in its log can then be had by
// LogReader with Spool::lock("queue-run")). ENOENT: no such message, or it is not in queue-run's hands (working/, deliver/,
// deferred/ and the log are). ETIMEDOUT: no answer in time; the wish may still come true.
class Control {
 public:
  // `spool` is borrowed. The time limit is for one answer.
  explicit Control(const Spool& spool, std::uint64_t timeout_milliseconds = 30'000) : spool_(&spool), timeout_milliseconds_(timeout_milliseconds) {}

  [[nodiscard]] bool is_running() const { return spool_->is_locked("queue-run"); }

  // Takes the message away from delivery: a file of its own in `to`, durable on return, also when it lived in the log. One
  // that is being delivered is moved when that attempt has ended and something is left to deliver; ENOENT if not.
  [[nodiscard]] base::Result<void> move(const Id& id, const Place& to) const;
  // Forgets it; one that is being delivered when that attempt has ended.
  [[nodiscard]] base::Result<void> remove(const Id& id) const;

  // The same of many, which share the wait. Waits: it is being delivered, and will be done when that attempt has ended.
  // NotDone: to be asked for alone, then it is known why.
  enum class Answer : char { Done = 'd', Waits = 'w', Gone = 'g', NotDone = 'n' };  // as queue-run says it
  [[nodiscard]] base::Result<std::vector<Answer>> move(std::span<const Id> ids, const Place& to) const;
  [[nodiscard]] base::Result<std::vector<Answer>> remove(std::span<const Id> ids) const;

  // Ends a chain of rules that queue-run has called for this message: what is in the call is what they have made of it. ENOENT: no
  // rules run on it.
  [[nodiscard]] base::Result<void> replace(const Id& id, chain::Call call) const;

  // A content filter gives a message back that it had; the context of the call says what its field said. Durable on return. Fault::Permanent:
  // it is not to come back so, and the cause is the reply for who has brought it.
  [[nodiscard]] base::Result<void> bring_back(const Id& id, chain::Call call) const;

  // Attempts it now, whatever its next attempt was to be, and forgives its destinations that they failed.
  [[nodiscard]] base::Result<void> retry(const Id& id) const;
  // All that is deferred; the messages of one recipient domain. Return how many. For a domain all deferred files are read.
  [[nodiscard]] base::Result<std::size_t> retry_all() const;
  [[nodiscard]] base::Result<std::size_t> retry_domain(std::string_view domain) const;

  // Forgets why the destinations of these addresses are avoided; none: of all.
  [[nodiscard]] base::Result<void> forgive(std::span<const std::string> addresses) const;

  // What waits in deferred/, by age: how many are younger than each of `limits`, which grow, and how many are older than all.
  // Fault::Temporary while queue-run, just started, does not know them all.
  struct Summary {
    std::uint64_t messages = 0, octets = 0;
    std::optional<Id> oldest;
    std::optional<base::WallTime> next_attempt;
    std::vector<std::uint64_t> by_age;
  };
  [[nodiscard]] base::Result<Summary> summary(std::span<const std::chrono::seconds> limits) const;

  // The messages in deferred/ that are not in its catalog yet, or otherwise there than they are; all others are in it as they are at
  // this moment. Fault::Temporary while that is being made; with error_number EAGAIN where these are too many, for a moment.
  [[nodiscard]] base::Result<std::vector<Id>> uncataloged() const;

  // One JSON object, described in queue-run(8).
  [[nodiscard]] base::Result<std::string> status() const;

 private:
  [[nodiscard]] base::Result<std::string> ask(std::initializer_list<std::string_view> words) const;
  [[nodiscard]] base::Result<std::string> ask(std::span<const std::string_view> words, chain::Call call) const;
  [[nodiscard]] base::Result<std::vector<Answer>> ask_for_each(std::string_view command, std::span<const Id> ids, std::string_view last) const;

  const Spool* spool_;
  std::uint64_t timeout_milliseconds_;
};

}  // namespace queue
