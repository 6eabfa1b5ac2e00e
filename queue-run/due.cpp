#include "queue-run/due.h"

#include <algorithm>

namespace run {
namespace {

std::int64_t milliseconds(base::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

void DueIndex::set(const queue::Id& id, base::WallTime due) {
  Slot slot = find(id);
  if (slot == kNone) {
    if (free_.empty()) {
      slot = static_cast<Slot>(records_.size());
      records_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    records_[slot] = Record{.id = id};
    heap_.push_back(slot);
    records_[slot].rank = static_cast<std::uint32_t>(heap_.size() - 1);
    if (heap_.size() * 4 > table_.size() * 3) grow_table();
    enter(slot);
  }
  if (is_in_review_) mark_seen(slot);
  records_[slot].due = milliseconds(due);
  rise(records_[slot].rank);
  sink(records_[slot].rank);
}

void DueIndex::begin_review() {
  seen_.assign(records_.size(), false);
  is_in_review_ = true;
}

void DueIndex::mark_seen(Slot slot) {
  if (slot >= seen_.size()) seen_.resize(records_.size());
  seen_[slot] = true;
}

std::vector<queue::Id> DueIndex::end_review(bool is_complete) {
  std::vector<queue::Id> unseen;
  seen_.resize(records_.size());
  for (Slot slot = 0; slot < records_.size() && is_in_review_ && is_complete; ++slot)
    if (records_[slot].rank != kNone && !seen_[slot]) unseen.push_back(records_[slot].id);
  for (const auto& id : unseen) remove(id);
  std::vector<bool>().swap(seen_);
  is_in_review_ = false;
  return unseen;
}

bool DueIndex::remove(const queue::Id& id) {
  const Slot slot = find(id);
  if (slot == kNone) return false;
  leave(id);
  const std::size_t rank = records_[slot].rank;
  const Slot last = heap_.back();
  heap_.pop_back();
  if (last != slot) {
    put(rank, last);
    rise(rank);
    sink(records_[last].rank);
  }
  records_[slot].rank = kNone;
  free_.push_back(slot);
  return true;
}

std::optional<queue::Id> DueIndex::take_due(base::WallTime now) {
  if (heap_.empty() || records_[heap_.front()].due > milliseconds(now)) return std::nullopt;
  const queue::Id id = records_[heap_.front()].id;
  remove(id);
  return id;
}

bool DueIndex::is_due_at(const queue::Id& id, base::WallTime due) const {
  const Slot slot = find(id);
  return slot != kNone && records_[slot].due == milliseconds(due);
}

void DueIndex::all_due_at(base::WallTime due) {
  for (const Slot slot : heap_) records_[slot].due = milliseconds(due);  // equal ones are in order as they stand
}

std::optional<base::WallTime> DueIndex::earliest() const {
  if (heap_.empty()) return std::nullopt;
  return base::WallTime(std::chrono::milliseconds(records_[heap_.front()].due));
}

std::uint32_t DueIndex::number_of(std::string_view destination) {
  if (destination.empty()) return 0;
  return static_cast<std::uint32_t>(std::hash<std::string_view>()(destination)) | 1U;
}

void DueIndex::set_octets(const queue::Id& id, std::uint64_t octets) {
  if (const Slot slot = find(id); slot != kNone) records_[slot].octets = static_cast<std::uint32_t>(std::min<std::uint64_t>(octets, UINT32_MAX));
}

void DueIndex::set_waits_for(const queue::Id& id, std::string_view destination) {
  if (const Slot slot = find(id); slot != kNone) records_[slot].waits_for = number_of(destination);
}

std::size_t DueIndex::bring_forward(std::string_view destination, base::WallTime now, std::chrono::milliseconds spacing) {
  const std::uint32_t number = number_of(destination);
  if (number == 0) return 0;
  std::size_t count = 0;
  std::int64_t due = milliseconds(now);
  for (auto& record : records_) {
    if (record.rank == kNone || record.waits_for != number) continue;
    ++count;
    if (record.due > due) {
      record.due = due;
      rise(record.rank);
    }
    due += spacing.count();
  }
  return count;
}

DueIndex::Summary DueIndex::summarize(base::WallTime now, std::span<const std::chrono::seconds> limits) const {
  Summary summary;
  summary.by_age.resize(limits.size() + 1);
  const Record* oldest = nullptr;
  for (const auto& record : records_) {  // in the order in which they lie in memory
    if (record.rank == kNone) continue;
    if (record.due <= milliseconds(now)) ++summary.due;
    summary.octets += record.octets;
    if (oldest == nullptr || record.id < oldest->id) oldest = &record;
    const auto age = now - record.id.time();
    const auto limit = std::ranges::find_if(limits, [&](std::chrono::seconds one) { return age < one; });
    ++summary.by_age[static_cast<std::size_t>(limit - limits.begin())];
  }
  if (oldest != nullptr) summary.oldest = oldest->id;
  return summary;
}

DueIndex::Slot DueIndex::find(const queue::Id& id) const {
  if (table_.empty()) return kNone;
  for (std::size_t at = home(id); table_[at] != kNone; at = (at + 1) & (table_.size() - 1))
    if (records_[table_[at]].id == id) return table_[at];
  return kNone;
}

void DueIndex::grow_table() {
  const std::vector<Slot> old = std::move(table_);
  table_.assign(std::max<std::size_t>(64, old.size() * 2), kNone);
  for (const Slot slot : old)
    if (slot != kNone) enter(slot);
}

void DueIndex::enter(Slot slot) {
  std::size_t at = home(records_[slot].id);
  while (table_[at] != kNone) at = (at + 1) & (table_.size() - 1);
  table_[at] = slot;
}

// Linear probing without tombstones: those that come behind move up unless that would put them before their home.
void DueIndex::leave(const queue::Id& id) {
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = home(id);
  while (records_[table_[hole]].id != id) hole = (hole + 1) & mask;
  for (std::size_t at = (hole + 1) & mask; table_[at] != kNone; at = (at + 1) & mask) {
    const std::size_t from_home = (at - home(records_[table_[at]].id)) & mask;
    if (from_home < ((at - hole) & mask)) continue;
    table_[hole] = table_[at];
    hole = at;
  }
  table_[hole] = kNone;
}

void DueIndex::put(std::size_t rank, Slot slot) {
  heap_[rank] = slot;
  records_[slot].rank = static_cast<std::uint32_t>(rank);
}

void DueIndex::rise(std::size_t rank) {
  const Slot slot = heap_[rank];
  while (rank > 0) {
    const std::size_t above = (rank - 1) / 2;
    if (records_[heap_[above]].due <= records_[slot].due) break;
    put(rank, heap_[above]);
    rank = above;
  }
  put(rank, slot);
}

void DueIndex::sink(std::size_t rank) {
  const Slot slot = heap_[rank];
  for (;;) {
    std::size_t below = 2 * rank + 1;
    if (below >= heap_.size()) break;
    if (below + 1 < heap_.size() && records_[heap_[below + 1]].due < records_[heap_[below]].due) ++below;
    if (records_[heap_[below]].due >= records_[slot].due) break;
    put(rank, heap_[below]);
    rank = below;
  }
  put(rank, slot);
}

}  // namespace run
