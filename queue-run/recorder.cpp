#include "queue-run/recorder.h"

#include <algorithm>
#include <cassert>

#include "lib/base/log.h"

namespace run {
namespace {

constexpr Milliseconds kSpillDelay = 20;   // messages that are put off together share the syncs of their files
constexpr std::size_t kSpillsPerJob = 64;
constexpr std::size_t kSpillJobs = 4;  // the threads of libuv's pool
constexpr Milliseconds kSyncDelay = 100;
constexpr Milliseconds kRetryDelay = 1000;

// Whether a recipient would get it again after a crash now.
bool has_unrecorded_deliveries(const Message& message) {
  const bool is_to_be_removed = message.conclusion && !message.conclusion->place;
  return is_to_be_removed || std::ranges::any_of(message.unrecorded, queue::settles, &queue::Event::kind);
}

// Where queue-run looks for mail: what lies elsewhere was put there by somebody.
bool is_served(const queue::Place& place) {
  return place.state == queue::State::Working || place.state == queue::State::Deliver || place.state == queue::State::Deferred || place.state == queue::State::Delegated;
}

}  // namespace

Recorder::Recorder(net::Loop& loop, queue::Spool& spool, queue::LogReader& log, std::function<void(Message&)> on_concluded)
    : loop_(loop), spool_(spool), log_(log), progress_(spool), on_concluded_(std::move(on_concluded)), self_(std::make_shared<Recorder*>(this)) {}

Recorder::~Recorder() { *self_ = nullptr; }

base::Result<void> Recorder::write_events(Message& message) {
  if (message.unrecorded.empty()) return {};
  if (message.is_in_log) {
    for (const auto& event : message.unrecorded) log_.record(message.id, event);
  } else {
    const auto written = progress_.append(message.id, message.unrecorded);
    if (!written) return written;
  }
  message.unrecorded.clear();
  return {};
}

void Recorder::note(Message& message) {
  if (message.is_stuck) return;
  const auto written = write_events(message);
  if (!written) stick(message, written.error());
}

void Recorder::conclude(Message& message, Conclusion conclusion) {
  message.conclusion = std::move(conclusion);
  if (message.is_stuck) return;
  const auto done = carry_out(message);
  if (!done) stick(message, done.error());
}

base::Result<void> Recorder::carry_out(Message& message) {
  if (!message.is_in_log) return carry_out_file(message);
  if (message.conclusion->place) {
    if (spills_.empty() && spill_jobs_ == 0) spill_at_ = base::monotonic_milliseconds() + kSpillDelay;
    spills_.push_back(&message);
    if (spills_.size() >= kSpillsPerJob && spill_jobs_ < kSpillJobs) spill_at_ = 0;
    return write_events(message);
  }
  log_.finish(message.id);  // who had it need not be written any more
  on_concluded_(message);
  return {};
}

base::Result<void> Recorder::carry_out_file(Message& message) {
  const auto& [to, modified] = *message.conclusion;
  if (to) {
    if (const auto written = write_events(message); !written) return written;
    if (const auto synced = progress_.sync(message.id); !synced) return synced;
  }
  const auto done = !to                  ? spool_.remove(message.id, message.place)
                    : *to != message.place ? spool_.move(message.id, message.place, *to, modified)
                    : modified             ? spool_.set_modified(message.id, message.place, *modified)
                                           : base::Result<void>();
  if (!done) {
    if (done.error().error_number == ENOENT) return follow(message);
    // The recipients who have it must not get it again if the removal fails until the next start.
    if (!to) (void)write_events(message);
    return done;
  }
  if (!to || !is_served(*to)) progress_.forget(message.id);
  on_concluded_(message);
  return {};
}

// Somebody moved or removed the file meanwhile. Where it is now is where he wants it, unless it need not be at all.
base::Result<void> Recorder::follow(Message& message) {
  const auto entry = spool_.find(message.id);
  if (!entry) return std::unexpected(entry.error());
  if (*entry && (*entry)->place != message.place && (!message.conclusion->place || is_served((*entry)->place))) {
    message.place = (*entry)->place;
    return carry_out_file(message);
  }
  if (!*entry || !is_served((*entry)->place)) progress_.forget(message.id);
  if (message.conclusion->place) message.conclusion = Conclusion{*entry ? std::optional((*entry)->place) : std::nullopt};
  on_concluded_(message);
  return {};
}

void Recorder::stick(Message& message, const base::Error& error) {
  if (!message.is_stuck) {
    base::log::error("not recorded", {{"id", message.id.text()}, {"cause", error.cause}});
    message.is_stuck = true;
    stuck_.push_back(&message);
  }
  if (has_unrecorded_deliveries(message)) ++unsafe_;
  if (retry_at_ == kNever) retry_at_ = base::monotonic_milliseconds() + kRetryDelay;
}

void Recorder::flush(Milliseconds now, bool at_end) {
  if (now >= retry_at_ || at_end) retry_stuck(now);
  write_log(now);
  sync_progress(now, at_end);
  if (!at_end && now >= spill_at_) spill();
  if (sync_at_ == kNever && needs_sync()) sync_at_ = now + kSyncDelay;
  if (now >= sync_at_ || at_end) sync(now);
}

void Recorder::retry_stuck(Milliseconds now) {
  retry_at_ = kNever;
  unsafe_ = 0;
  std::vector<Message*> again;
  again.swap(stuck_);
  for (Message* message : again) {
    message->is_stuck = false;
    const bool ends = message->conclusion.has_value();
    const auto done = ends ? carry_out(*message) : write_events(*message);
    if (done) continue;  // after carry_out() the message may be gone
    message->is_stuck = true;
    stuck_.push_back(message);
    stick(*message, done.error());
  }
  if (stuck_.empty() && !again.empty()) base::log::info("recording works again");
  if (!stuck_.empty()) retry_at_ = now + kRetryDelay;
}

void Recorder::write_log(Milliseconds now) {
  follow_failure(log_failed_, log_.write_results(), now);
}

void Recorder::sync_progress(Milliseconds now, bool at_end) {
  if (!progress_.has_unsynced()) {  // also when what had failed is synced by now, or need not be any more
    sync_progress_at_ = 0;
    return follow_failure(progress_failed_, {}, now);
  }
  if (now < sync_progress_at_ && !at_end) return;
  const auto synced = progress_.sync();
  sync_progress_at_ = synced ? 0 : now + kRetryDelay;
  follow_failure(progress_failed_, synced, now);
}

void Recorder::follow_failure(bool& has_failed, const base::Result<void>& result, Milliseconds now) {
  if (!result) retry_at_ = std::min(retry_at_, now + kRetryDelay);
  if (result.has_value() != has_failed) return;  // nothing new
  has_failed = !result;
  if (has_failed) {
    base::log::error("results are not recorded, deliveries wait", {{"cause", result.error().cause}});
  } else {
    base::log::info("recording works again");
  }
}

// ---- files for messages of the log ------------------------------------------------------------------------------------

struct Recorder::SpillJob {
  std::vector<Message*> messages;
  queue::Spilling spilling;
  base::Result<void> end;
};

// In threads: when a destination dies, thousands of messages are put off at once, and other mail must not wait for the disk.
void Recorder::spill() {
  while (!spills_.empty() && spill_jobs_ < kSpillJobs) {
    const std::size_t count = std::min(spills_.size(), kSpillsPerJob);
    std::vector<queue::LogReader::Spill> wanted;
    wanted.reserve(count);
    for (std::size_t i = 0; i < count; ++i) wanted.push_back({spills_[i]->id, *spills_[i]->conclusion->place, spills_[i]->conclusion->modified});
    auto begun = log_.begin_spill(wanted);
    assert(begun);
    const auto job = std::make_shared<SpillJob>(SpillJob{{spills_.begin(), spills_.begin() + static_cast<std::ptrdiff_t>(count)}, std::move(*begun), {}});
    spills_.erase(spills_.begin(), spills_.begin() + static_cast<std::ptrdiff_t>(count));
    ++spill_jobs_;
    spilling_messages_ += count;
    net::run_in_thread(
        loop_, [job] { job->end = job->spilling.write(); },
        [job, self = self_] {
          if (*self != nullptr) (*self)->on_spilled(*job);
        });
  }
  spill_at_ = kNever;  // on_spilled() goes on with what is left
}

void Recorder::on_spilled(SpillJob& job) {
  --spill_jobs_;
  spilling_messages_ -= job.messages.size();
  if (job.end) {
    const auto ended = log_.end_spill(job.spilling);
    if (!ended) base::log::error("sync failed", {{"cause", ended.error().cause}});  // the line itself is tried again
    for (Message* message : job.messages) on_concluded_(*message);
  } else {
    base::log::error("cannot write files for messages of the log", {{"messages", job.messages.size()}, {"cause", job.end.error().cause}});
    spills_.insert(spills_.end(), job.messages.begin(), job.messages.end());
  }
  if (!spills_.empty()) spill_at_ = base::monotonic_milliseconds() + (job.end ? 0 : kRetryDelay);
}

void Recorder::sync(Milliseconds now) {
  sync_at_ = kNever;
  ++syncs_;
  for (const auto& result : {spool_.sync(), log_.sync_results(), log_.free_segments()}) {
    if (result) continue;
    base::log::error("sync failed", {{"cause", result.error().cause}});
    sync_at_ = now + kRetryDelay;
  }
}

Milliseconds Recorder::wakes_at() const { return std::min({spill_at_, retry_at_, sync_at_, progress_.has_unsynced() ? sync_progress_at_ : kNever}); }

}  // namespace run
