// Changing messages beside a running queue-run, or without one.
//
//   a file                     flock(2) on it first, so that nobody delivers it meanwhile; then rename or unlink
//   to be tried now            queue-run is asked, since it also knows which destinations it avoids; without it, touch.
//                              Of a selection it is asked to forget what it knows of them, and sees the touch
//   in the log, queue-run up   queue-run is asked over its control socket: it alone may write to the log
//   in the log, no queue-run   its lock is taken, the log is read, the message gets a file of its own or is forgotten
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/queue/bulk.h"
#include "lib/queue/spool.h"
#include "qctl/look.h"

namespace qctl {

struct Wish {
  enum class Kind : std::uint8_t { Move, Retry, Remove };
  Kind kind = Kind::Move;
  queue::Place to;  // of a Move
  // Whether a message that moved while it was grasped is still meant, where it is now; empty: always. If not, error_number ESTALE.
  std::function<bool(const queue::Place&)> follows = {};
  bool is_bulk = false;  // of a selection: queue-run need not be told of each, it will look at what changes
};

class Hand {
 public:
  // `spool` outlives the hand.
  explicit Hand(queue::Spool& spool);
  ~Hand();

  // Calls `on_done` once for each target. error_number EWOULDBLOCK: it is being delivered; ENOENT: it is gone.
  // Give many at once: they share threads, calls and syncs. Durable after finish().
  using OnDone = std::function<void(const Target&, const base::Result<void>&)>;
  void carry_out(const Wish& wish, std::span<const Target> targets, const OnDone& on_done);

  // Asks queue-run to try all that is deferred (of a recipient domain); how many that were.
  // error_number ECONNREFUSED: none runs, so the messages must be touched one by one.
  [[nodiscard]] base::Result<std::size_t> retry_all();
  [[nodiscard]] base::Result<std::size_t> retry_domain(std::string_view domain);
  // Before a Retry of a selection: queue-run, if one runs, forgets why it avoids the destinations of these addresses; none: of all.
  void forgive(std::span<const std::string> addresses);

  [[nodiscard]] base::Result<void> finish();

 private:
  struct OwnLog;
  using Results = std::vector<base::Result<void>>;
  [[nodiscard]] base::Result<void> change(const Wish& wish, const Target& target);
  [[nodiscard]] base::Result<void> change_file(const Wish& wish, const Target& target);
  [[nodiscard]] base::Result<void> retry(const Target& target);
  [[nodiscard]] base::Result<void> ask(const Wish& wish, const Target& target);
  [[nodiscard]] base::Result<void> go_on(const Wish& wish, const Target& target, base::Result<void> changed);
  [[nodiscard]] Results change_files(const Wish& wish, std::span<const Target> targets);
  [[nodiscard]] bool asks() const;  // a queue-run can be asked
  void ask_all(const Wish& wish, std::span<const Target> targets, const OnDone& on_done);
  [[nodiscard]] Results ask_many(const Wish& wish, std::span<const Target> targets);
  void change_in_log(const Wish& wish, std::span<const Target> targets, const OnDone& on_done, bool asks);
  void change_in_own_log(const Wish& wish, std::span<const Target> targets, const OnDone& on_done);
  [[nodiscard]] base::Result<OwnLog*> own_log();
  void note_move(const Target& target, const queue::Place& to);

  queue::Spool* spool_;
  std::unique_ptr<OwnLog> own_log_;
  std::size_t removed_ = 0;  // since the last sync
  base::Result<void> sync_end_;  // of those before finish()
};

}  // namespace qctl
