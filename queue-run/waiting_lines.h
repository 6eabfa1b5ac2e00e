// How jobs wait: in a lane for each sender at each destination. For schedule.cpp only.
//
//   transport -> age, priority -> senders take turns -> each sender's destinations take turns -> the jobs of that lane
//
// So neither the ten thousand messages of one sender nor the ten thousand recipients of one message stand before the one
// message of somebody else, wherever it goes. A destination that has no place is found out when the turn comes to one of its lanes:
// that lane is parked, and comes back when a place is free, first come, first served. So each step costs the same
// however many senders wait for one destination.
#pragma once

#include <array>
#include <cassert>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "queue-run/schedule.h"

namespace run {

// The highest priority in front. No list in it is empty.
template <class T>
using ByPriority = std::map<int, std::list<T>, std::greater<>>;

struct Schedule::Sender {
  Age age;
  int priority;
  std::uint64_t number;
  std::list<Lane*> lanes;  // that are not parked; the first has its turn
  std::size_t known = 0;   // lanes, also those that are parked
  std::list<Sender*>::iterator turn;  // while `lanes` has one
};

struct Schedule::Lane {
  Destination* destination;
  Sender* sender;
  std::list<Job*> jobs;  // never empty for long
  bool is_parked = false;
  bool was_served = false;  // since it came back from being parked
  std::list<Lane*>::iterator place;  // in the lanes of its sender, or the parked ones of its destination
};

struct Schedule::Destination {
  Transport* transport = nullptr;
  std::string host;
  std::unordered_map<Sender*, std::unique_ptr<Lane>> lanes;
  std::array<ByPriority<Lane*>, kAges> parked;
  std::size_t waiting = 0;
  std::size_t open = 0;
  std::size_t refused = 0;
  std::size_t most = 1;          // its window never gets larger
  std::size_t window = 1;
  Milliseconds interval = 0;     // between two calls
  Milliseconds next_start = 0;   // not before
  Milliseconds sleeps_until = 0; // while it is in sleeping_
  unsigned failures = 0;  // in a row
  Milliseconds suspended_until = 0;
  Milliseconds pause = 0;
  std::string reason;

  [[nodiscard]] bool is_idle() const { return waiting + open + refused == 0; }
  [[nodiscard]] std::size_t places(Milliseconds now) const {
    const std::size_t free = window > open ? window - open : 0;
    return now < next_start ? 0 : interval > 0 ? std::min<std::size_t>(free, 1) : free;
  }
};

struct Schedule::Transport {
  struct SenderKey {
    Age age;
    int priority;
    std::uint64_t number;
    bool operator==(const SenderKey&) const = default;
  };
  struct SenderHash {
    std::size_t operator()(const SenderKey& key) const { return key.number * 31 + static_cast<std::size_t>(key.priority) * 2 + key.age; }
  };

  std::string name;
  TransportLimits limits;
  std::unordered_map<std::string_view, std::unique_ptr<Destination>> destinations;  // keys are the hosts inside
  std::unordered_map<SenderKey, std::unique_ptr<Sender>, SenderHash> senders;
  std::array<ByPriority<Sender*>, kAges> turns;  // of senders with a lane that is not parked; the first has its turn
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

  Lane& lane_of(Destination& destination, const Job& job);
  Lane& front(Age age) { return *turns[age].begin()->second.front()->lanes.front(); }
  void rotate(Lane& lane);      // behind the others of its sender, and that behind the others
  void list(Lane& lane);        // among those whose turn may come
  void park(Lane& lane);
  void unlist(Lane& lane);      // out of wherever it stands
  void forget(Lane& lane);      // it is empty
  void unpark(Destination& destination, Milliseconds now);  // as many as it has places, of each age
};

}  // namespace run
