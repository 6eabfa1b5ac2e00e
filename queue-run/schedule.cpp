#include "queue-run/schedule.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <map>

namespace run {
namespace {

constexpr unsigned kFreshPerOld = 8;  // so many fresh ones in a row while old ones wait
constexpr Milliseconds kTransportPause = 50;  // the first; doubles
constexpr Milliseconds kTransportPauseMost = 5'000;

// The highest priority in front. No list in it is empty.
template <class T>
using ByPriority = std::map<int, std::list<T>, std::greater<>>;

template <class T>
void take_out_of(ByPriority<T>& lines, int priority, typename std::list<T>::iterator place) {
  const auto line = lines.find(priority);
  line->second.erase(place);
  if (line->second.empty()) lines.erase(line);
}

}  // namespace

struct Schedule::Destination {
  Transport* transport = nullptr;
  std::string host;
  std::array<ByPriority<Job*>, kAges> lines;
  std::array<std::list<Destination*>::iterator, kAges> ready_place;
  std::array<std::optional<int>, kAges> ready_priority;  // nullopt: it is not among those of its transport that may start
  std::size_t open = 0;
  std::size_t refused = 0;
  std::size_t window = 1;
  unsigned failures = 0;  // in a row
  Milliseconds suspended_until = 0;
  Milliseconds pause = 0;
  std::string reason;

  [[nodiscard]] std::size_t waiting() const {
    std::size_t count = 0;
    for (const auto& of_age : lines)
      for (const auto& [priority, line] : of_age) count += line.size();
    return count;
  }
  [[nodiscard]] bool is_idle() const { return waiting() + open + refused == 0; }
};

struct Schedule::Transport {
  std::string name;
  TransportLimits limits;
  std::unordered_map<std::string_view, std::unique_ptr<Destination>> destinations;  // keys are the hosts inside
  std::array<ByPriority<Destination*>, kAges> ready;  // those with a job and room in their window; the first has its turn
  std::size_t open = 0;
  std::size_t open_old = 0;
  unsigned fresh_in_a_row = 0;
  // When it cannot be called: since when, and when it is tried again. One job at a time is its probe.
  Milliseconds unavailable_since = kNever;
  Milliseconds paused_until = 0;
  Milliseconds pause = 0;
  bool is_down = false;  // patience has ended
  std::string reason;

  [[nodiscard]] bool is_unavailable() const { return unavailable_since != kNever; }
  [[nodiscard]] std::size_t limit() const { return is_unavailable() ? 1 : limits.calls; }
  // Old mail leaves a quarter of the places to fresh mail.
  [[nodiscard]] bool old_may_start() const { return open_old < std::max<std::size_t>(1, limits.calls - limits.calls / 4); }
  void recovered() {
    unavailable_since = kNever;
    paused_until = pause = 0;
    is_down = false;
  }
};

Schedule::Schedule(const Policy& policy) : policy_(policy) {}
Schedule::~Schedule() = default;

Schedule::TransportId Schedule::add_transport(std::string name, const TransportLimits& limits) {
  auto transport = std::make_unique<Transport>();
  transport->name = std::move(name);
  transport->limits = {std::max<std::size_t>(1, limits.calls), std::max<std::size_t>(1, limits.calls_per_destination)};
  transports_.push_back(std::move(transport));
  return transports_.size() - 1;
}

Schedule::Destination& Schedule::destination(Transport& transport, std::string_view host, Milliseconds now) {
  if (const auto known = transport.destinations.find(host); known != transport.destinations.end()) return *known->second;
  if (transport.destinations.size() >= forget_above_) forget_old(now);
  auto made = std::make_unique<Destination>();
  made->transport = &transport;
  made->host = host;
  made->window = transport.limits.calls_per_destination;
  Destination& destination = *made;
  transport.destinations.emplace(destination.host, std::move(made));
  return destination;
}

void Schedule::add(Job& job, TransportId id, std::string_view host, bool is_fresh, int priority, Milliseconds now) {
  Transport& transport = *transports_[id];
  Destination& at = destination(transport, host, now);
  job.destination = &at;
  job.is_fresh = is_fresh && priority >= 0;
  job.priority = priority;
  auto& line = at.lines[age_of(job)][priority];
  line.push_back(&job);
  job.place = std::prev(line.end());
  job.is_waiting = true;
  ++waiting_;
  const bool is_down = transport.is_down && now < transport.paused_until;
  if (is_down) at.reason = transport.reason;
  if (is_down || now < at.suspended_until) {
    refuse_all(at);
  } else {
    file(at);
  }
}

void Schedule::take_out(Job& job) {
  Destination& at = *job.destination;
  if (job.is_refused) {
    refused_.erase(job.place);
    --at.refused;
  } else {
    take_out_of(at.lines[age_of(job)], job.priority, job.place);
  }
  job.is_waiting = job.is_refused = false;
  --waiting_;
}

void Schedule::remove(Job& job) {
  assert(job.is_waiting);
  Destination& at = *job.destination;
  take_out(job);
  job.destination = nullptr;
  file(at);
  forget_if_idle(at);
}

void Schedule::file(Destination& at) {
  for (const auto age : {kFresh, kOld}) {
    const auto& lines = at.lines[age];
    const auto should = lines.empty() || at.open >= at.window ? std::nullopt : std::optional(lines.begin()->first);
    auto& is = at.ready_priority[age];
    if (should == is) continue;
    auto& ready = at.transport->ready[age];
    if (is) take_out_of(ready, *is, at.ready_place[age]);
    if (should) {
      auto& line = ready[*should];
      at.ready_place[age] = line.insert(line.end(), &at);
    }
    is = should;
  }
}

void Schedule::refuse_all(Destination& at) {
  for (auto& of_age : at.lines) {
    for (auto& [priority, line] : of_age) {
      for (Job* job : line) job->is_refused = true;
      at.refused += line.size();
      refused_.splice(refused_.end(), line);
    }
    of_age.clear();
  }
  file(at);
}

Schedule::Destination* Schedule::pick(Transport& transport, Age& age, Milliseconds now) {
  if (now < transport.paused_until || transport.open >= transport.limit()) return nullptr;
  const bool has_fresh = !transport.ready[kFresh].empty();
  const bool has_old = !transport.ready[kOld].empty() && transport.old_may_start();
  if (!has_fresh && !has_old) return nullptr;
  age = has_fresh && !(has_old && transport.fresh_in_a_row >= kFreshPerOld) ? kFresh : kOld;
  transport.fresh_in_a_row = age == kFresh && has_old ? transport.fresh_in_a_row + 1 : 0;
  return transport.ready[age].begin()->second.front();
}

std::optional<Schedule::Decision> Schedule::next(Milliseconds now) {
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
    Age age{};
    Destination* at = pick(transport, age, now);
    if (at == nullptr) continue;
    auto& turns = transport.ready[age].begin()->second;
    turns.splice(turns.end(), turns, turns.begin());
    Job& job = *at->lines[age].begin()->second.front();
    take_out(job);
    ++open_;
    ++at->open;
    ++transport.open;
    if (age == kOld) ++transport.open_old;
    file(*at);
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
    at.failures = 0;
    at.suspended_until = at.pause = 0;
    at.window = std::min(at.window + 1, transport.limits.calls_per_destination);
  } else if (ending == Ending::Failed && now >= at.suspended_until) {  // calls that were open when it was suspended say nothing new
    at.reason = reason;
    at.window = std::max<std::size_t>(1, at.window / 2);
    if (++at.failures >= policy_.failures) suspend(at, now);
  }
  file(at);
  forget_if_idle(at);
}

void Schedule::suspend(Destination& at, Milliseconds now) {
  at.pause = std::min(at.pause == 0 ? policy_.pause : at.pause * 2, policy_.pause_most);
  at.suspended_until = now + at.pause;
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
  auto& line = at.lines[age_of(job)][job.priority];
  line.push_front(&job);
  job.place = line.begin();
  job.is_waiting = true;
  ++waiting_;
  file(at);
  if (!transport.is_down) return;
  for (auto& [host, destination] : transport.destinations) {
    if (destination->waiting() == 0) continue;
    destination->reason = transport.reason;
    refuse_all(*destination);
  }
}

Milliseconds Schedule::wakes_at() const {
  Milliseconds earliest = kNever;
  for (const auto& transport : transports_) {
    const bool has_ready = !transport->ready[kFresh].empty() || !transport->ready[kOld].empty();
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

void Schedule::forget_if_idle(Destination& at) {
  if (!at.is_idle() || at.failures > 0) return;
  at.transport->destinations.erase(at.host);
}

// What is known of dead destinations is worth keeping for a while, not for ever: domains in mail are endless.
void Schedule::forget_old(Milliseconds now) {
  std::size_t left = 0;
  for (const auto& transport : transports_) {
    std::erase_if(transport->destinations, [&](const auto& entry) {
      const Destination& at = *entry.second;
      return at.is_idle() && (at.failures == 0 || now >= at.suspended_until + policy_.pause_most);
    });
    left = std::max(left, transport->destinations.size());
  }
  forget_above_ = std::max<std::size_t>(1000, 2 * left);
}

std::vector<Schedule::Status> Schedule::status(Milliseconds now) const {
  std::vector<Status> rows;
  for (const auto& transport : transports_)
    for (const auto& [host, at] : transport->destinations)
      rows.push_back({transport->name, host, at->waiting() + at->refused, at->open, at->window,
                      at->suspended_until > now ? at->suspended_until - now : 0, at->reason});
  return rows;
}

}  // namespace run
