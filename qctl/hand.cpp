#include "qctl/hand.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <vector>

#include "lib/queue/control.h"
#include "lib/queue/log_reader.h"

namespace qctl {
namespace {
// How long queue-run may take: it answers at once unless the message is being delivered.
constexpr std::uint64_t kAnswerMilliseconds = 5000;
constexpr int kAttempts = 3;  // for a message that moves while it is grasped
constexpr std::size_t kPolledAtOnce = 1000;
constexpr std::size_t kRemovedUnsynced = 20'000;
constexpr std::string_view kAsked = "queue-run was asked and will do it if the attempt fails";

// queue-run has it in hand, or another qctl.
bool is_locked(const base::Result<void>& changed) { return !changed && changed.error().error_number == EWOULDBLOCK; }

base::Error in_delivery(std::string_view what) {
  return {base::Fault::Temporary, "is being delivered right now; " + std::string(what), EWOULDBLOCK};
}

std::string note_of_move(const Target& target, const queue::Place& to) {
  return "moved from " + target.place.folder() + " to " + to.folder() + " with qctl by uid " + std::to_string(::getuid());
}
}  // namespace

// The log while no queue-run has it.
struct Hand::OwnLog {
  base::UniqueFd lock;
  queue::LogReader reader;
};

Hand::Hand(queue::Spool& spool) : spool_(&spool) {}
Hand::~Hand() = default;

void Hand::note_move(const Target& target, const queue::Place& to) { spool_->remark(target.id, note_of_move(target, to)); }

base::Result<void> Hand::retry(const Target& target) {
  const auto asked = queue::Control(*spool_, kAnswerMilliseconds).retry(target.id);
  if (asked) return {};
  return spool_->set_modified(target.id, target.place, base::wall_now());
}

// All are in one folder, none in the log.
Hand::Results Hand::change_files(const Wish& wish, std::span<const Target> targets) {
  using Kind = queue::BulkChange::Kind;
  queue::BulkChange change{wish.kind == Wish::Kind::Move ? Kind::Move : wish.kind == Wish::Kind::Remove ? Kind::Remove : Kind::Touch, wish.to, base::wall_now(), {}};
  if (wish.kind == Wish::Kind::Move && wish.is_bulk) change.note = note_of_move(targets.front(), wish.to);
  std::vector<queue::Id> ids;
  ids.reserve(targets.size());
  for (const auto& target : targets) ids.push_back(target.id);
  auto results = queue::change_many(*spool_, targets.front().place, ids, change);
  for (auto& result : results)
    if (!result && result.error().error_number == EWOULDBLOCK) result = std::unexpected(in_delivery("try again later"));
  return results;
}

base::Result<void> Hand::change_file(const Wish& wish, const Target& target) {
  if (wish.kind == Wish::Kind::Retry && !wish.is_bulk) return retry(target);
  const auto changed = change_files(wish, {&target, 1}).front();
  if (changed && wish.kind == Wish::Kind::Move && !wish.is_bulk) note_move(target, wish.to);
  return changed;
}

base::Result<void> Hand::ask(const Wish& wish, const Target& target) {
  const queue::Control control(*spool_, kAnswerMilliseconds);
  auto answer = wish.kind == Wish::Kind::Move     ? control.move(target.id, wish.to)
                : wish.kind == Wish::Kind::Remove ? control.remove(target.id)
                                                  : control.retry(target.id);
  if (answer && wish.kind == Wish::Kind::Move) note_move(target, wish.to);
  if (!answer && answer.error().error_number == ETIMEDOUT) return std::unexpected(in_delivery(kAsked));
  return answer;
}

// All are in the log. What queue-run has not done is asked for again, one by one: so it is known why.
Hand::Results Hand::ask_many(const Wish& wish, std::span<const Target> targets) {
  if (targets.size() == 1) return {change(wish, targets.front())};
  std::vector<queue::Id> ids;
  for (const auto& target : targets) ids.push_back(target.id);
  const queue::Control control(*spool_, 2 * kAnswerMilliseconds);
  const auto answers = wish.kind == Wish::Kind::Move ? control.move(ids, wish.to) : control.remove(ids);
  Results results;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto answer = answers ? (*answers)[i] : queue::Control::Answer::NotDone;
    if (answer == queue::Control::Answer::Done) {
      if (wish.kind == Wish::Kind::Move) note_move(targets[i], wish.to);
      results.emplace_back();
    } else if (answer == queue::Control::Answer::Waits) {
      results.emplace_back(std::unexpected(in_delivery(kAsked)));
    } else if (answer == queue::Control::Answer::Gone) {
      // From queue-run's hands it may have gone to where this wish goes too, as dead/.
      results.push_back(go_on(wish, targets[i], std::unexpected(base::Error{base::Fault::Permanent, "is gone", ENOENT})));
    } else {
      results.push_back(change(wish, targets[i]));
    }
  }
  return results;
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
  auto changed = target.is_in_log ? ask(wish, target) : change_file(wish, target);
  if (!target.is_in_log && is_locked(changed) && asks()) changed = ask(wish, target);
  return go_on(wish, target, std::move(changed));
}

bool Hand::asks() const { return !own_log_ && queue::Control(*spool_).is_running(); }

// After the first attempt: the message may have moved while it was grasped.
base::Result<void> Hand::go_on(const Wish& wish, const Target& target, base::Result<void> changed) {
  for (int attempt = 1;; ++attempt) {
    if (changed || changed.error().error_number != ENOENT) return changed;
    const auto found = find_again(*spool_, target.id);
    if (!found) return std::unexpected(found.error());
    if (wish.follows && !wish.follows(found->place))
      return std::unexpected(base::Error{base::Fault::Permanent, "has moved to " + found->place.folder() + " meanwhile", ESTALE});
    if (wish.kind == Wish::Kind::Move && found->place == wish.to && !found->is_in_log) return {};
    if (attempt == kAttempts) return changed;
    changed = found->is_in_log ? ask(wish, *found) : change_file(wish, *found);
  }
}

void Hand::carry_out(const Wish& wish, std::span<const Target> targets, const OnDone& on_done) {
  const bool asks = this->asks();
  std::map<queue::Place, std::vector<Target>> files;
  std::vector<Target> in_log;
  for (const auto& target : targets) {
    if (wish.kind == Wish::Kind::Move && target.place == wish.to && !target.is_in_log) {
      on_done(target, {});
    } else if (target.is_in_log) {
      in_log.push_back(target);
    } else if (wish.is_bulk) {
      files[target.place].push_back(target);
    } else {
      on_done(target, change(wish, target));
    }
  }
  std::vector<Target> in_hand;
  for (const auto& [place, some] : files) {
    auto results = change_files(wish, some);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (asks && is_locked(results[i])) {
        in_hand.push_back(some[i]);
      } else {
        on_done(some[i], go_on(wish, some[i], std::move(results[i])));
      }
    }
  }
  if (!in_hand.empty()) ask_all(wish, in_hand, on_done);
  if (wish.kind == Wish::Kind::Remove) removed_ += targets.size();
  if (removed_ >= kRemovedUnsynced) {  // whoever is stopped later leaves few records of messages that are gone
    removed_ = 0;
    if (const auto synced = spool_->sync(); !synced) sync_end_ = synced;
  }
  if (!in_log.empty()) change_in_log(wish, in_log, on_done, asks);
}

void Hand::change_in_log(const Wish& wish, std::span<const Target> targets, const OnDone& on_done, bool asks) {
  if (!asks) {
    const auto log = own_log();
    if (log) return change_in_own_log(wish, targets, on_done);
    // A queue-run has just been started: it can be asked.
    if (log.error().error_number != EWOULDBLOCK) {
      for (const auto& target : targets) on_done(target, std::unexpected(log.error()));
      return;
    }
  }
  ask_all(wish, targets, on_done);
}

// Of queue-run, which has them in its log or in hand.
void Hand::ask_all(const Wish& wish, std::span<const Target> targets, const OnDone& on_done) {
  if (wish.kind == Wish::Kind::Retry) {
    for (const auto& target : targets) on_done(target, change(wish, target));
    return;
  }
  const auto results = ask_many(wish, targets);
  for (std::size_t i = 0; i < targets.size(); ++i) on_done(targets[i], results[i]);
}

void Hand::forgive(std::span<const std::string> addresses) { (void)queue::Control(*spool_, kAnswerMilliseconds).forgive(addresses); }

base::Result<std::size_t> Hand::retry_all() { return queue::Control(*spool_).retry_all(); }
base::Result<std::size_t> Hand::retry_domain(std::string_view domain) { return queue::Control(*spool_).retry_domain(domain); }

base::Result<void> Hand::finish() {
  if (own_log_) {
    auto written = own_log_->reader.write_results();
    if (written) written = own_log_->reader.sync_results();
    if (!written) return written;
  }
  const auto synced = spool_->sync();
  return sync_end_ ? synced : sync_end_;
}

}  // namespace qctl
