// The deferred messages by the time of their next attempt. A million of them must not be felt: 45 octets each, and a
// step costs what a binary heap costs. Knows no I/O and no clock.
#pragma once

#include <cstdint>
#include <optional>
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
  // The earliest, when it is due at `now`; it leaves the index.
  std::optional<queue::Id> take_due(base::WallTime now);
  void all_due_at(base::WallTime due);

  [[nodiscard]] std::optional<base::WallTime> earliest() const;
  [[nodiscard]] std::size_t due_at(base::WallTime now) const;  // how many; looks at each
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = UINT32_MAX;
  struct Record {
    std::int64_t due;    // milliseconds since 1970
    std::uint32_t rank;  // where it stands in heap_
    queue::Id id;
  };

  [[nodiscard]] Slot find(const queue::Id& id) const;
  [[nodiscard]] std::size_t home(const queue::Id& id) const { return std::hash<queue::Id>()(id) & (table_.size() - 1); }
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
};

}  // namespace run
