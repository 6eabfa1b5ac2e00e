#include "queue-run/runner.h"

#include <algorithm>

#include "lib/base/log.h"

namespace run {
namespace {

constexpr Milliseconds kLookAtLog = 1000;
constexpr Milliseconds kLookAtClock = 1000;
constexpr std::size_t kParkedAtOnce = 1000;
constexpr Milliseconds kParkAgain = 1000;  // when no sender had enough
constexpr auto kHurrySpacing = std::chrono::milliseconds(20);
constexpr auto kBusyDelay = std::chrono::milliseconds(100);  // until a file is tried again that somebody else holds

}  // namespace

Runner::Runner(net::Loop& loop, queue::Spool& spool, queue::LogReader& log, queue::Trigger& trigger, const Settings& settings)
    : loop_(loop),
      spool_(spool),
      log_(log),
      trigger_(trigger),
      settings_(settings),
      keeper_(loop, spool, log, settings_.deliveries.notices),
      catalog_(spool),
      timer_(loop, [this] { timer_is_for_ = kNever; }),
      stop_timer_(loop, [this] {
        was_cut_short_ = true;
        base::log::warning("open deliveries are given up", {{"calls", deliveries_->open_calls()}});
        deliveries_->abandon();
        finish();
      }),
      wanted_(settings.only),
      left_over_(settings.only) {
  // Before the work of the Caller in Deliveries: the calls that a turn makes leave in the same turn.
  loop.after_io([this] { turn(); });
  deliveries_ = std::make_unique<Deliveries>(loop, keeper_, settings.deliveries, [this](const Deliveries::Left& left) { on_left(left); },
                                              [this](const queue::Id& id) { on_found({queue::State::Working, {}}, id, base::wall_now()); });
  folders_ = std::make_unique<Folders>(
      loop, spool,
      [this](const queue::Entry& entry, bool is_listed) {
        note_in_catalog(entry, is_listed);
        const auto due = is_listed ? due_time(entry.modified, entry.changed, base::wall_now()) : entry.modified;
        on_found(entry.place, entry.id, due, entry.file_octets, is_listed);
      },
      [this](const queue::Place& place, const queue::Id& id) {
        if (place.state == queue::State::Deferred) catalog_.gone(id);
        on_gone(place, id);
      },
      [this](Folders::Review review) { on_review(review); });
}

Runner::~Runner() = default;

base::Result<void> Runner::start() {
  trigger_watch_.emplace(loop_, trigger_.fd(), [this](unsigned) { on_trigger(); });
  trigger_watch_->want(net::Watch::Readable);
  catalog_.start();
  return folders_->start();
}

void Runner::stop() {
  if (is_stopping_) return;
  is_stopping_ = true;
  stop_timer_.start(settings_.stop_timeout);
}

void Runner::turn() {
  if (has_ended_) return;
  const Milliseconds now = loop_.now_milliseconds();
  look_at_clock(now);
  deliveries_->flush(now);
  hurry_for_recovered();
  if (!is_stopping_) {
    take_in();
    has_more_to_start_ = deliveries_->start(now);
    if (now >= look_at_log_at_) {
      look_at_log_at_ = deliveries_->make_room_in_log(log_) ? now : now + kLookAtLog;
      if (log_failed_) log_has_more_ = true;
    }
  }
  if (is_finished()) {
    finish();
  } else {
    set_timer(now);
  }
}

// What is due by the clock of before may be far ahead now: the files tell for how long they were to wait.
void Runner::look_at_clock(Milliseconds now) {
  if (now < look_at_clock_at_) return;
  look_at_clock_at_ = now + kLookAtClock;
  const auto by = clock_.look();
  if (by.count() == 0) return;
  base::log::warning("the clock was set", {{"seconds", by.count() / 1000}});
  if (by.count() < 0) folders_->read_all();
}

// ---- taking in --------------------------------------------------------------------------------------------------------

void Runner::take_in() {
  if (!folders_->is_reading() && !has_read_folders_) {
    has_read_folders_ = true;
    settings_.retries_all = false;  // what is read again later, after too many events, waits
    catalog_.all_lie();
  }
  take_in_log();
  park();
  take_in_fresh();
  take_in_parked();
  take_in_due();
}

void Runner::take_in_log() {
  if (!log_has_more_ || !has_room()) return;
  const std::size_t limit = std::min(kMessagesPerTurn, settings_.messages_max - deliveries_->messages());
  auto items = log_.poll(limit);
  log_failed_ = !items;
  log_has_more_ = items && items->size() == limit;
  if (!items) {
    base::log::error("cannot read the log", {{"cause", items.error().cause}});
    return;
  }
  for (auto& item : *items) {
    if (!wants(item.item.id)) continue;
    wanted_.erase(item.item.id);
    deliveries_->admit(std::move(item));
  }
}

void Runner::take_in_fresh() {
  for (std::size_t i = 0; i < kFilesPerTurn && !fresh_.empty() && has_room_for_files(); ++i) {
    const FreshFile file = std::move(fresh_.front());
    fresh_.pop_front();
    if (fresh_known_.erase(file.id) == 0) continue;  // gone meanwhile
    admit_file(file.place, file.id, true);
  }
}

void Runner::take_in_parked() {
  for (std::size_t i = 0; i < kFilesPerTurn && !parked_.empty() && has_room_for_parked(); ++i) {
    const FreshFile file = std::move(parked_.front());
    parked_.pop_front();
    if (fresh_known_.erase(file.id) > 0) admit_file(file.place, file.id, true);
  }
}

// Mail waits in the log, and there is no room.
void Runner::park() {
  const Milliseconds now = loop_.now_milliseconds();
  if (!log_has_more_ || has_room() || !parking_.empty() || now < park_at_) return;
  const auto ids = deliveries_->idle_of_busiest_sender(std::min(kParkedAtOnce, std::max<std::size_t>(1, settings_.messages_max / 4)), settings_.messages_max / 4);
  if (ids.empty()) park_at_ = now + kParkAgain;
  parking_.insert(ids.begin(), ids.end());
  for (const auto& id : ids) {
    Wish wish{queue::Place{queue::State::Deliver, {}}, [](const base::Result<void>&) {}};
    deliveries_->fulfil(id, wish);
  }
}

void Runner::take_in_due() {
  const auto now = base::wall_now();
  for (const auto state : {queue::State::Deferred, queue::State::Delegated}) {
    const queue::Place place{state, {}};
    for (std::size_t i = 0; i < kFilesPerTurn && has_room_for_old(); ++i) {
      const auto id = index_of(place)->take_due(now);
      if (!id) break;
      admit_file(place, *id, false);
    }
  }
}

DueIndex* Runner::index_of(const queue::Place& place) {
  if (place.state == queue::State::Deferred) return &due_;
  return place.state == queue::State::Delegated ? &away_ : nullptr;
}

std::optional<base::WallTime> Runner::next_due() const {
  const auto due = due_.earliest(), away = away_.earliest();
  return due && away ? std::min(due, away) : due ? due : away;
}

void Runner::admit_file(const queue::Place& place, const queue::Id& id, bool is_fresh) {
  if (deliveries_->has(id)) return;
  wanted_.erase(id);
  const auto admitted = deliveries_->admit(spool_, place, id, is_fresh);
  if (!admitted) on_file_error(place, id, admitted.error());
}

void Runner::on_file_error(const queue::Place& place, const queue::Id& id, const base::Error& error) {
  if (error.error_number == ENOENT) {  // moved or removed by hand
    if (place.state == queue::State::Deferred) catalog_.changed(id);
    const auto entry = spool_.find(id);
    if (entry && *entry && (*entry)->place != place) on_found((*entry)->place, id, (*entry)->modified);
    return;
  }
  if (error.fault == base::Fault::Permanent) {
    folders_->report_foreign({place.folder() + "/" + id.string(), error.cause});
    left_over_.erase(id);
    return;
  }
  if (error.error_number != EWOULDBLOCK) base::log::error("cannot read a message", {{"id", id.text()}, {"cause", error.cause}});
  auto* index = index_of(place);
  (index != nullptr ? *index : due_).set(id, base::wall_now() + kBusyDelay);
}

void Runner::on_found(const queue::Place& place, const queue::Id& id, base::WallTime modified, std::uint64_t octets, bool is_listed) {
  if (!is_served(place.state) || !wants(id) || deliveries_->has(id)) return;
  // One that has just been delegated, or is back, is as fresh as others.
  const bool is_fresh = place.state == queue::State::Delegated && modified <= base::wall_now() && !is_selective();
  if (is_fresh) away_.remove(id);
  if (auto* index = index_of(place); index != nullptr && !is_fresh) {
    const bool is_due_anyway = is_selective() || (is_listed && settings_.retries_all);
    index->set(id, is_due_anyway ? base::WallTime() : modified);
    if (octets > 0) index->set_octets(id, octets);
  } else if (fresh_known_.insert(id).second) {
    fresh_.push_back({place, id});
  }
}

// Before on_found() takes note of it: what was known already and is read again, after too many events, is in the catalog.
void Runner::note_in_catalog(const queue::Entry& entry, bool is_listed) {
  if (entry.place.state != queue::State::Deferred || (is_listed && due_.is_due_at(entry.id, entry.modified))) return;
  is_listed ? catalog_.lies(entry.id, entry.modified) : catalog_.changed(entry.id);
}

void Runner::on_gone(const queue::Place& place, const queue::Id& id) {
  if (auto* index = index_of(place)) index->remove(id);
  if (place.state != queue::State::Deferred) fresh_known_.erase(id);  // its entry of fresh_ is skipped
}

void Runner::on_review(Folders::Review review) {
  if (review == Folders::Review::Begins) {
    due_.begin_review();
    away_.begin_review();
    return;
  }
  for (const auto& id : due_.end_review(review == Folders::Review::Ends)) catalog_.gone(id);
  away_.end_review(review == Folders::Review::Ends);
}

void Runner::on_left(const Deliveries::Left& left) {
  const bool is_parked = parking_.erase(left.id) > 0;
  if (left.error) {
    on_file_error(*left.place, left.id, *left.error);
    return;
  }
  if (!left.place) left_over_.erase(left.id);
  if (!left.place || !is_served(left.place->state)) return;
  if (left.is_new_text && is_selective() && left_over_.contains(left.id)) wanted_.insert(left.id);
  if (is_parked && !left.next && left.place->state == queue::State::Deliver) {
    if (fresh_known_.insert(left.id).second) parked_.push_back({*left.place, left.id});
  } else if (left.next) {
    auto* index = index_of(*left.place);
    if (is_selective() || index == nullptr) return;
    index->set(left.id, *left.next);
    index->set_waits_for(left.id, left.waits_for);
  } else {
    on_found(*left.place, left.id, base::wall_now());
  }
}

// What could not be sent to a destination that was dead goes there soon after it has answered, and not all at once.
void Runner::hurry_for_recovered() {
  for (const auto& host : deliveries_->take_recovered()) {
    const auto count = due_.bring_forward(host, base::wall_now(), kHurrySpacing) + away_.bring_forward(host, base::wall_now(), kHurrySpacing);
    base::log::info("destination is back", {{"destination", host}, {"deferred", count}});
  }
}

// ---- waiting and ending -----------------------------------------------------------------------------------------------

void Runner::set_timer(Milliseconds now) {
  Milliseconds at = deliveries_->wakes_at();
  if (deliveries_->messages() > 0 || log_failed_) at = std::min(at, look_at_log_at_);
  const bool has_more = has_more_to_start_ || (log_has_more_ && has_room()) || (!fresh_.empty() && has_room_for_files()) || (!parked_.empty() && has_room_for_parked());
  if (log_has_more_ && parking_.empty() && !has_room() && !is_stopping_) at = std::min(at, std::max(now + 1, park_at_));
  if (has_more && !is_stopping_) at = now;
  if (const auto due = next_due(); due && has_room_for_old() && !is_stopping_) {
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(*due - base::wall_now()).count();
    // At most a minute: the clock may be set meanwhile.
    at = std::min(at, now + static_cast<Milliseconds>(std::clamp<std::int64_t>(wait + 1, 0, 60'000)));
  }
  if (at == timer_is_for_) return;
  timer_is_for_ = at;
  timer_.start(at <= now ? 0 : at - now);
}

bool Runner::is_finished() const {
  if (deliveries_->open_calls() > 0 || deliveries_->unconcluded() > 0) return false;
  if (is_stopping_) return true;
  if (!settings_.drains && !is_selective()) return false;
  if (deliveries_->messages() > 0 || log_has_more_ || !fresh_.empty() || !parked_.empty() || folders_->is_reading()) return false;
  const auto due = next_due();
  return !due || *due > base::wall_now();
}

void Runner::finish() {
  has_ended_ = true;
  deliveries_->flush(loop_.now_milliseconds(), true);
  const auto folder_time = queue::settled_folder_time(spool_);  // what comes behind it is not in the catalog, and is seen by it
  folders_->look();
  catalog_.stop(folders_->is_reading() ? std::nullopt : folder_time);
  folders_->stop();
  trigger_watch_.reset();
  loop_.stop();
}

}  // namespace run
