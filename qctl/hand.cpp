#include "qctl/hand.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "lib/queue/control.h"
#include "lib/queue/log_reader.h"
#include "lib/queue/take_unread.h"

namespace qctl {
namespace {
// How long queue-run may take: it answers at once unless the message is being delivered.
constexpr std::uint64_t kAnswerMilliseconds = 5000;
constexpr int kAttempts = 3;  // for a message that moves while it is grasped
constexpr std::size_t kPolledAtOnce = 1000;

// Where queue-run takes messages from.
bool is_served(queue::State state) {
  return state == queue::State::Working || state == queue::State::Deliver || state == queue::State::Deferred || state == queue::State::Delegated;
}

base::Error in_delivery(std::string_view what) {
  return {base::Fault::Temporary, "is being delivered right now; " + std::string(what), EWOULDBLOCK};
}
}  // namespace

// The log while no queue-run has it.
struct Hand::OwnLog {
  base::UniqueFd lock;
  queue::LogReader reader;
};

Hand::Hand(queue::Spool& spool) : spool_(&spool), poke_(spool) {}
Hand::~Hand() = default;

void Hand::note_move(const Target& target, const queue::Place& to) {
  spool_->remark(target.id, "moved from " + target.place.folder() + " to " + to.folder() + " with qctl by uid " + std::to_string(::getuid()));
}

base::Result<void> Hand::rename_or_unlink(const Wish& wish, const Target& target) {
  // What cannot be read as an item may be moved and removed as well: nobody delivers it.
  const auto taken = queue::take_unread(*spool_, target.place, target.id);
  if (!taken && taken.error().error_number == EWOULDBLOCK) return std::unexpected(in_delivery("try again later"));
  if (!taken) return std::unexpected(taken.error());
  if (wish.kind == Wish::Kind::Remove) return spool_->remove(target.id, target.place);
  note_move(target, wish.to);
  return spool_->move(target.id, target.place, wish.to, base::wall_now());
}

base::Result<void> Hand::retry(const Target& target) {
  const auto asked = queue::Control(*spool_, kAnswerMilliseconds).retry(target.id);
  if (asked) return {};
  return spool_->set_modified(target.id, target.place, base::wall_now());
}

base::Result<void> Hand::change_file(const Wish& wish, const Target& target) {
  if (wish.kind == Wish::Kind::Retry) return retry(target);
  const auto changed = rename_or_unlink(wish, target);
  // queue-run heard of the rename while we had the lock, and looks again in a while; now it need not wait.
  if (changed && wish.kind == Wish::Kind::Move && is_served(wish.to.state)) (void)poke_.send({queue::Request::Kind::Retry, target.id, {}});
  return changed;
}

base::Result<void> Hand::ask(const Wish& wish, const Target& target) {
  const queue::Control control(*spool_, kAnswerMilliseconds);
  auto answer = wish.kind == Wish::Kind::Move     ? control.move(target.id, wish.to)
                : wish.kind == Wish::Kind::Remove ? control.remove(target.id)
                                                  : control.retry(target.id);
  if (answer && wish.kind == Wish::Kind::Move) note_move(target, wish.to);
  if (!answer && answer.error().error_number == ETIMEDOUT)
    return std::unexpected(in_delivery("queue-run was asked and will do it if the attempt fails"));
  return answer;
}

base::Result<Hand::OwnLog*> Hand::own_log() {
  if (own_log_) return own_log_.get();
  auto lock = spool_->lock("queue-run");
  if (!lock) return std::unexpected(lock.error());
  auto reader = queue::LogReader::open(*spool_, {});
  if (!reader) return std::unexpected(reader.error());
  for (;;) {
    const auto polled = reader->poll(kPolledAtOnce);
    if (!polled) return std::unexpected(polled.error());
    if (polled->size() < kPolledAtOnce) break;
  }
  own_log_ = std::make_unique<OwnLog>(std::move(*lock), std::move(*reader));
  return own_log_.get();
}

// What the log does not hold any more has a file now, or is gone.
void Hand::change_in_own_log(const Wish& wish, std::span<const Target> targets, const OnDone& on_done) {
  auto& reader = own_log_->reader;
  std::vector<queue::LogReader::Spill> spills;
  std::vector<Target> spilled;
  for (const auto& target : targets) {
    if (!reader.holds(target.id)) {
      on_done(target, change(wish, {target.id, target.place, false}));
    } else if (wish.kind == Wish::Kind::Remove) {
      reader.finish(target.id);
      on_done(target, {});
    } else if (wish.kind == Wish::Kind::Retry) {
      on_done(target, {});  // it waits for nothing but a queue-run
    } else {
      spills.push_back({target.id, wish.to, base::wall_now()});
      spilled.push_back(target);
    }
  }
  if (spills.empty()) return;
  const auto moved = reader.spill(spills);
  for (const auto& target : spilled) {
    if (moved) note_move(target, wish.to);
    on_done(target, moved);
  }
}

base::Result<void> Hand::change(const Wish& wish, const Target& target) {
  if (wish.kind == Wish::Kind::Move && target.place == wish.to && !target.is_in_log) return {};
  Target now = target;
  base::Result<void> changed;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    changed = now.is_in_log ? ask(wish, now) : change_file(wish, now);
    if (changed || changed.error().error_number != ENOENT) return changed;
    const auto found = find_again(*spool_, target.id);
    if (!found) return std::unexpected(found.error());
    if (wish.follows && !wish.follows(found->place))
      return std::unexpected(base::Error{base::Fault::Permanent, "has moved to " + found->place.folder() + " meanwhile", ESTALE});
    now = *found;
  }
  return changed;
}

void Hand::carry_out(const Wish& wish, std::span<const Target> targets, const OnDone& on_done) {
  std::vector<Target> in_log;
  const bool asks = queue::Control(*spool_).is_running() && !own_log_;
  for (const auto& target : targets) {
    if (target.is_in_log && !asks) {
      in_log.push_back(target);
    } else {
      on_done(target, change(wish, target));
    }
  }
  if (in_log.empty()) return;
  const auto log = own_log();
  if (log) return change_in_own_log(wish, in_log, on_done);
  // A queue-run has just been started: it can be asked.
  const bool has_started = log.error().error_number == EWOULDBLOCK;
  for (const auto& target : in_log) on_done(target, has_started ? change(wish, target) : base::Result<void>(std::unexpected(log.error())));
}

base::Result<std::size_t> Hand::retry_all() { return queue::Control(*spool_).retry_all(); }
base::Result<std::size_t> Hand::retry_domain(std::string_view domain) { return queue::Control(*spool_).retry_domain(domain); }

base::Result<void> Hand::finish() {
  if (own_log_) {
    auto written = own_log_->reader.write_results();
    if (written) written = own_log_->reader.sync_results();
    if (!written) return written;
  }
  return spool_->sync();
}

}  // namespace qctl
