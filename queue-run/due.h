// The deferred messages by the time of their next attempt. A million of them must not be felt: 53 octets each, and a
// step costs what a binary heap costs. Knows no I/O and no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/queue/id.h"

namespace run {

class DueIndex {
 public:
  // Adds it, or changes when it is due.
  void set(const queue::Id& id, base::WallTime due);
  bool remove(const queue::Id& id);  // whether it was there
  [[nodiscard]] bool contains(const queue::Id& id) const { return find(id) != kNone; }
  [[nodiscard]] bool is_due_at(const queue::Id& id, base::WallTime due) const;  // to the millisecond
  // The earliest, when it is due at `now`; it leaves the index.
  std::optional<queue::Id> take_due(base::WallTime now);
  void all_due_at(base::WallTime due);

  // Of one that is there: how large its file is, for summarize(); whom it waits for, for bring_forward(): a destination that could
  // not be reached, "" is none.
  void set_octets(const queue::Id& id, std::uint64_t octets);
  void set_waits_for(const queue::Id& id, std::string_view destination);
  // Those that wait for `destination` become due one after the other, `spacing` apart from `now` on, unless they are sooner.
  // How many wait for it. Looks at each of the index.
  std::size_t bring_forward(std::string_view destination, base::WallTime now, std::chrono::milliseconds spacing);

  // Between the two each that is still there is set() again. The others, which the end answers, leave the index, unless the
  // review was not complete.
  void begin_review();
  std::vector<queue::Id> end_review(bool is_complete);

  [[nodiscard]] std::optional<base::WallTime> earliest() const;
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  struct Summary {
    std::size_t due = 0;  // now
    std::uint64_t octets = 0;
    std::optional<queue::Id> oldest;
    std::vector<std::size_t> by_age;  // younger than the first limit, then than the second, ..., and the others
  };
  // Looks at each. `limits` grow.
  [[nodiscard]] Summary summarize(base::WallTime now, std::span<const std::chrono::seconds> limits) const;

 private:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = UINT32_MAX;
  struct Record {
    std::int64_t due = 0;         // milliseconds since 1970
    std::uint32_t rank = kNone;   // where it stands in heap_; kNone: not in use
    std::uint32_t octets = 0;     // UINT32_MAX: so many or more
    std::uint32_t waits_for = 0;  // a hash of the destination: two of the same one only make somebody's attempt early
    queue::Id id;
  };

  [[nodiscard]] static std::uint32_t number_of(std::string_view destination);
  [[nodiscard]] Slot find(const queue::Id& id) const;
  [[nodiscard]] std::size_t home(const queue::Id& id) const { return std::hash<queue::Id>()(id) & (table_.size() - 1); }
  void mark_seen(Slot slot);
  void grow_table();
  void enter(Slot slot);                // into table_
  void leave(const queue::Id& id);      // out of table_
  void put(std::size_t rank, Slot slot);
  void rise(std::size_t rank);
  void sink(std::size_t rank);

  std::vector<Record> records_;  // by slot
  std::vector<Slot> free_;       // slots not in use
  std::vector<Slot> heap_;       // the earliest in front
  std::vector<Slot> table_;      // by hash of the id, linear probing, at most three quarters full; a power of two
  std::vector<bool> seen_;       // by slot, in a review
  bool is_in_review_ = false;
};

}  // namespace run
