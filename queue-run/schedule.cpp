#include "queue-run/schedule.h"

#include <algorithm>

#include "queue-run/waiting_lines.h"

namespace run {
namespace {

constexpr unsigned kFreshPerOld = 8;  // so many fresh ones in a row while old ones wait
constexpr Milliseconds kTransportPause = 50;  // the first; doubles
constexpr Milliseconds kTransportPauseMost = 5'000;

}  // namespace

Schedule::Schedule(const Policy& policy) : policy_(policy) {}
Schedule::~Schedule() = default;

Schedule::TransportId Schedule::add_transport(std::string name, const TransportLimits& limits) {
  auto transport = std::make_unique<Transport>();
  transport->name = std::move(name);
  transport->limits = limits;
  for (auto* limit : {&transport->limits.calls, &transport->limits.calls_per_destination, &transport->limits.calls_at_first}) *limit = std::max<std::size_t>(1, *limit);
  transports_.push_back(std::move(transport));
  return transports_.size() - 1;
}

Schedule::Destination& Schedule::destination(Transport& transport, std::string_view host, Milliseconds now) {
  if (const auto known = transport.destinations.find(host); known != transport.destinations.end()) return *known->second;
  if (transport.destinations.size() >= forget_above_) forget_old(now);
  auto made = std::make_unique<Destination>();
  made->transport = &transport;
  made->host = host;
  const auto own = transport.limits.own ? transport.limits.own(host) : DestinationLimits{};
  made->most = own.calls > 0 ? own.calls : transport.limits.calls_per_destination;
  made->interval = own.interval > 0 ? own.interval : transport.limits.interval;
  made->window = std::min(transport.limits.calls_at_first, made->most);
  Destination& destination = *made;
  transport.destinations.emplace(destination.host, std::move(made));
  return destination;
}

void Schedule::add(Job& job, TransportId id, std::string_view host, const Wants& wants, Milliseconds now) {
  Transport& transport = *transports_[id];
  Destination& at = destination(transport, host, now);
  job.destination = &at;
  job.is_fresh = wants.is_fresh && wants.priority >= 0;
  job.priority = wants.priority;
  job.sender = wants.sender;
  wait(job, false, now);
  const bool is_down = transport.is_down && now < transport.paused_until;
  if (is_down) at.reason = transport.reason;
  if (is_down || now < at.suspended_until) refuse_all(at);
}

void Schedule::wait(Job& job, bool in_front, Milliseconds now) {
  Destination& at = *job.destination;
  Lane& lane = at.transport->lane_of(at, job);
  job.lane = &lane;
  job.place = lane.jobs.insert(in_front ? lane.jobs.begin() : lane.jobs.end(), &job);
  job.is_waiting = true;
  ++waiting_;
  ++at.waiting;
  if (!lane.is_parked && !has_place(at, now)) {
    lane.was_served = !in_front;  // a new one stands behind those that wait
    at.transport->park(lane);
  }
}

void Schedule::take_out(Job& job) {
  Destination& at = *job.destination;
  if (job.is_refused) {
    refused_.erase(job.place);
    --at.refused;
  } else {
    job.lane->jobs.erase(job.place);
    if (job.lane->jobs.empty()) at.transport->forget(*job.lane);
    --at.waiting;
  }
  job.lane = nullptr;
  job.is_waiting = job.is_refused = false;
  --waiting_;
}

void Schedule::remove(Job& job) {
  assert(job.is_waiting);
  Destination& at = *job.destination;
  take_out(job);
  job.destination = nullptr;
  at.transport->unpark(at, now_);  // its turn is another one's now
  forget_if_idle(at);
}

void Schedule::refuse_all(Destination& at) {
  while (!at.lanes.empty()) {
    Lane& lane = *at.lanes.begin()->second;
    for (Job* job : lane.jobs) {
      job->is_refused = true;
      job->lane = nullptr;
    }
    at.refused += lane.jobs.size();
    at.waiting -= lane.jobs.size();
    refused_.splice(refused_.end(), lane.jobs);
    at.transport->forget(lane);
  }
}

// Otherwise something will tell when it has one: the end of a call, or the clock.
bool Schedule::has_place(Destination& at, Milliseconds now) {
  if (at.places(now) > 0) return true;
  if (now < at.next_start) sleep(at);
  return false;
}

void Schedule::sleep(Destination& at) {
  if (at.sleeps_until == at.next_start) return;
  stop_sleeping(at);
  at.sleeps_until = at.next_start;
  sleeping_.emplace(at.sleeps_until, &at);
}

void Schedule::stop_sleeping(Destination& at) {
  if (at.sleeps_until != 0) sleeping_.erase({at.sleeps_until, &at});
  at.sleeps_until = 0;
}

void Schedule::wake(Milliseconds now) {
  while (!sleeping_.empty() && sleeping_.begin()->first <= now) {
    Destination& at = *sleeping_.begin()->second;
    stop_sleeping(at);
    at.next_start = 0;
    at.transport->unpark(at, now);
    forget_if_idle(at);
  }
}

Schedule::Lane* Schedule::pick(Transport& transport, Milliseconds now) {
  if (now < transport.paused_until || transport.open >= transport.limit()) return nullptr;
  for (;;) {
    const bool has_fresh = !transport.turns[kFresh].empty();
    const bool has_old = !transport.turns[kOld].empty() && transport.old_may_start();
    if (!has_fresh && !has_old) return nullptr;
    const Age age = has_fresh && !(has_old && transport.fresh_in_a_row >= kFreshPerOld) ? kFresh : kOld;
    Lane& lane = transport.front(age);
    if (!has_place(*lane.destination, now)) {
      transport.park(lane);
      continue;
    }
    transport.fresh_in_a_row = age == kFresh && has_old ? transport.fresh_in_a_row + 1 : 0;
    return &lane;
  }
}

std::optional<Schedule::Decision> Schedule::next(Milliseconds now) {
  now_ = now;
  wake(now);
  if (!refused_.empty()) {
    Job& job = *refused_.front();
    const Destination& at = *job.destination;
    take_out(job);
    job.destination = nullptr;
    return Decision{&job, false, at.reason};  // the destination itself goes when forget_old() comes by
  }
  for (std::size_t i = 0; i < transports_.size(); ++i) {
    Transport& transport = *transports_[turn_];
    turn_ = (turn_ + 1) % transports_.size();
    Lane* lane = pick(transport, now);
    if (lane == nullptr) continue;
    Destination& at = *lane->destination;
    Job& job = *lane->jobs.front();
    lane->was_served = true;
    transport.rotate(*lane);
    take_out(job);
    ++open_;
    ++at.open;
    ++transport.open;
    if (!job.is_fresh) ++transport.open_old;
    if (at.interval > 0) at.next_start = now + at.interval;
    return Decision{&job, true, {}};
  }
  return std::nullopt;
}

void Schedule::ended(Job& job, Ending ending, std::string_view reason, Milliseconds now) {
  Destination& at = *job.destination;
  Transport& transport = *at.transport;
  --open_;
  --at.open;
  --transport.open;
  if (!job.is_fresh) --transport.open_old;
  if (ending == Ending::Unavailable) {
    wait_again(job, reason, now);
    return;
  }
  job.destination = nullptr;
  if (ending != Ending::Dropped) transport.recovered();
  if (ending == Ending::Reached) {
    if (at.pause > 0) recovered_.push_back(at.host);
    at.failures = 0;
    at.suspended_until = at.pause = 0;
    at.window = std::min(at.window + 1, at.most);
  } else if (ending == Ending::Failed && now >= at.suspended_until) {  // calls that were open when it was suspended say nothing new
    at.reason = reason;
    at.window = std::max<std::size_t>(1, at.window / 2);
    if (++at.failures >= policy_.failures) suspend(at, now);
  }
  transport.unpark(at, now);
  forget_if_idle(at);
}

void Schedule::suspend(Destination& at, Milliseconds now) {
  at.pause = std::min(at.pause == 0 ? policy_.pause : at.pause * 2, policy_.pause_most);
  const auto share = std::hash<std::string_view>()(at.host) % 1000;
  at.suspended_until = now + at.pause + at.pause * policy_.jitter_percent * share / 100'000;
  at.window = 1;
  refuse_all(at);
}

void Schedule::wait_again(Job& job, std::string_view reason, Milliseconds now) {
  Destination& at = *job.destination;
  Transport& transport = *at.transport;
  if (now >= transport.paused_until) {  // else another call found it out just before
    if (!transport.is_unavailable()) transport.unavailable_since = now;
    transport.pause = std::clamp(transport.pause * 2, kTransportPause, kTransportPauseMost);
    transport.paused_until = now + transport.pause;
    transport.reason = reason;
    transport.is_down = now - transport.unavailable_since >= policy_.patience;
  }
  wait(job, true, now);
  transport.unpark(at, now);
  if (!transport.is_down) return;
  for (auto& [host, destination] : transport.destinations) {
    if (destination->waiting == 0) continue;
    destination->reason = transport.reason;
    refuse_all(*destination);
  }
}

Milliseconds Schedule::wakes_at() const {
  Milliseconds earliest = sleeping_.empty() ? kNever : sleeping_.begin()->first;
  for (const auto& transport : transports_) {
    const bool has_ready = !transport->turns[kFresh].empty() || !transport->turns[kOld].empty();
    if (has_ready && transport->open < transport->limit() && transport->paused_until != 0)
      earliest = std::min(earliest, transport->paused_until);
  }
  return earliest;
}

void Schedule::forgive(std::string_view host) {
  const auto forgive_one = [](Destination& at) {
    at.failures = 0;
    at.suspended_until = at.pause = 0;
  };
  for (const auto& transport : transports_) {
    transport->paused_until = 0;
    if (host.empty()) {
      for (auto& [name, at] : transport->destinations) forgive_one(*at);
    } else if (const auto known = transport->destinations.find(host); known != transport->destinations.end()) {
      forgive_one(*known->second);
    }
  }
}

void Schedule::forget(Destination& at) {
  stop_sleeping(at);
  at.transport->destinations.erase(at.host);
}

// One that may not be called yet is remembered until it may.
void Schedule::forget_if_idle(Destination& at) {
  if (!at.is_idle() || at.failures > 0) return;
  if (at.next_start > 0) {
    sleep(at);
  } else {
    forget(at);
  }
}

// What is known of dead destinations is worth keeping for a while, not for ever: domains in mail are endless.
void Schedule::forget_old(Milliseconds now) {
  std::size_t left = 0;
  for (const auto& transport : transports_) {
    std::erase_if(transport->destinations, [&](const auto& entry) {
      Destination& at = *entry.second;
      const bool goes = at.is_idle() && (at.failures == 0 || now >= at.suspended_until + policy_.pause_most) && at.next_start <= now;
      if (goes) stop_sleeping(at);
      return goes;
    });
    if (transport->destinations.size() > policy_.remembered) forget_most(*transport);
    left = std::max(left, transport->destinations.size());
  }
  forget_above_ = std::max<std::size_t>(1000, 2 * left);
}

// Half of those for which nothing waits, those first whose suspension ends first.
void Schedule::forget_most(Transport& transport) {
  std::vector<Destination*> idle;
  for (const auto& [host, at] : transport.destinations)
    if (at->is_idle()) idle.push_back(at.get());
  std::ranges::sort(idle, {}, &Destination::suspended_until);
  idle.resize(idle.size() / 2);
  for (Destination* at : idle) forget(*at);
}

std::string_view Schedule::unavailable() const {
  for (const auto& transport : transports_)
    if (transport->is_down) return transport->reason;
  return {};
}

std::vector<Schedule::Status> Schedule::status(Milliseconds now) const {
  std::vector<Status> rows;
  for (const auto& transport : transports_)
    for (const auto& [host, at] : transport->destinations)
      rows.push_back({transport->name, host, at->waiting + at->refused, at->open, at->window,
                      at->suspended_until > now ? at->suspended_until - now : 0, at->reason});
  return rows;
}

}  // namespace run
