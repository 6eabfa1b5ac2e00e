// Maps: entries in one piece, a hash index over them when they are more than a few, brought into order on demand.
#include <algorithm>
#include <memory>

#include "vsl-filter/lang/heap.h"
#include "vsl-filter/lang/object.h"

namespace vsl {

namespace {

constexpr std::uint32_t kFew = 8;  // so many are searched one by one

}  // namespace

std::size_t Map::position(const Value& key) const {
  if (index != nullptr) return indexed_position(key.as_text(), hash_of(key));
  if (key.is(Tag::Short)) {
    for (std::size_t i = 0; i < length; ++i)
      if (items[i].key.is_same(key)) return i;
    return kNone;
  }
  const std::string_view text = key.as_text();
  for (std::size_t i = 0; i < length; ++i)
    if (items[i].key.as_text() == text) return i;
  return kNone;
}

std::size_t Map::indexed_position(std::string_view key, std::uint32_t hash) const {
  const std::uint32_t mask = index_size - 1;
  for (std::uint32_t place = hash >> 1 & mask;; place = (place + 1) & mask) {
    const std::uint32_t entry = index[place];
    if (entry == 0) return kNone;
    if (items[entry - 1].key.as_text() == key) return entry - 1;
  }
}

const Value* Map::find(std::string_view key) const {
  if (key.size() <= Value::kShortOctets) return find(Value::short_string(key));
  if (index != nullptr) {
    const std::size_t at = indexed_position(key, hash_of(key));
    return at == kNone ? nullptr : &items[at].value;
  }
  for (std::size_t i = 0; i < length; ++i)
    if (items[i].key.as_text() == key) return &items[i].value;
  return nullptr;
}

Value& Map::at(const Value& key) {
  const std::size_t found = position(key);
  if (found != kNone) return items[found].value;
  if (length == capacity) grow();
  // A key in its canonical form: short ones lie in the value, so that they are equal when their octets are.
  const bool is_short = key.as_text().size() <= Value::kShortOctets;
  Entry* entry = ::new (items + length) Entry{is_short ? Value::short_string(key.as_text()) : key, Value()};
  if (in_order && length > 0) in_order = items[length - 1].key.as_text() < key.as_text();
  ++length;
  if (index != nullptr && length * 2 <= index_size)
    enter(length - 1);
  else if (length > kFew)
    build_index();
  return entry->value;
}

void Map::set(std::string_view key, Value value) { at(heap->string(key)) = std::move(value); }

Value Map::remove(const Value& key) {
  const std::size_t at = position(key);
  if (at == kNone) return Value::absent();
  const auto last = length - 1;
  if (index != nullptr) {
    leave(place_of(static_cast<std::uint32_t>(at)));
    if (at != last) index[place_of(last)] = static_cast<std::uint32_t>(at) + 1;
  }
  Value removed = std::move(items[at].value);
  // The last entry takes the place: the order is lost unless it was the last.
  if (at != last) {
    items[at] = std::move(items[last]);
    in_order = false;
  }
  std::destroy_at(&items[--length]);
  return removed;
}

// Where in the index the entry at this position stands.
std::uint32_t Map::place_of(std::uint32_t position) const {
  const std::uint32_t mask = index_size - 1;
  std::uint32_t place = hash_of(items[position].key) >> 1 & mask;
  while (index[place] != position + 1) place = (place + 1) & mask;
  return place;
}

void Map::enter(std::uint32_t position) {
  const std::uint32_t mask = index_size - 1;
  std::uint32_t place = hash_of(items[position].key) >> 1 & mask;
  while (index[place] != 0) place = (place + 1) & mask;
  index[place] = position + 1;
}

// Empties a place of the index and moves up what stands behind it only because it was taken.
void Map::leave(std::uint32_t hole) {
  const std::uint32_t mask = index_size - 1;
  index[hole] = 0;
  for (std::uint32_t place = (hole + 1) & mask; index[place] != 0; place = (place + 1) & mask) {
    const std::uint32_t home = hash_of(items[index[place] - 1].key) >> 1 & mask;
    if (((place - home) & mask) < ((place - hole) & mask)) continue;
    index[hole] = std::exchange(index[place], 0);
    hole = place;
  }
}

void Map::clear() {
  std::destroy_n(items, length);
  length = 0;
  in_order = true;
  if (index != nullptr) std::fill_n(index, index_size, 0);
}

void Map::grow() {
  const std::size_t most = std::max(heap->limits().elements, std::size_t{length} + 1);
  const std::size_t room = std::min(std::max<std::size_t>(4, std::size_t{capacity} * 2), most);
  if (!heap->may_hold_elements(std::size_t{length} + 1)) heap->note_too_large("Map");
  items = static_cast<Entry*>(heap->enlarge(items, length * sizeof(Entry), capacity * sizeof(Entry), room * sizeof(Entry)));
  capacity = static_cast<std::uint32_t>(room);
}

void Map::build_index() {
  std::uint32_t size = std::max<std::uint32_t>(index_size, 32);
  while (size < length * 2 + 2) size *= 2;
  if (size != index_size) {
    heap->deallocate(index, index_size * sizeof(std::uint32_t));
    index = static_cast<std::uint32_t*>(heap->allocate(size * sizeof(std::uint32_t)));
    index_size = size;
  }
  std::fill_n(index, index_size, 0);
  for (std::uint32_t i = 0; i < length; ++i) enter(i);
}

void Map::sort() {
  std::sort(items, items + length, [](const Entry& a, const Entry& b) { return a.key.as_text() < b.key.as_text(); });
  in_order = true;
  if (index != nullptr) build_index();
}

std::span<const Map::Entry> Map::entries() const {
  if (!in_order) const_cast<Map*>(this)->sort();
  return {items, length};
}

std::span<Map::Entry> Map::entries_for_write() {
  if (!in_order) sort();
  return {items, length};
}

}  // namespace vsl
