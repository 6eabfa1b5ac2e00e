// Arrays, blobs and strings; maps are in map.cpp.
#include "vsl-filter/lang/object.h"

#include <algorithm>
#include <memory>

#include <sys/auxv.h>

#include "vsl-filter/lang/heap.h"

namespace vsl {

namespace {

// Moves `length` elements to a new place with room for at least `room`; not for more than `limit` unless `room` is: the limit is
// looked at when there is no room. Values are moved as octets: nobody keeps their addresses.
template <class T>
void grow(Heap& heap, T*& elements, std::uint32_t length, std::uint32_t& capacity, std::size_t room, std::size_t limit) {
  if (room <= capacity) return;
  const std::size_t new_capacity = std::max(room, std::min(std::max<std::size_t>(std::size_t{capacity} * 2, 4), limit));
  elements = static_cast<T*>(heap.enlarge(elements, length * sizeof(T), capacity * sizeof(T), new_capacity * sizeof(T)));
  capacity = static_cast<std::uint32_t>(new_capacity);
}

template <class T>
void shift(T* elements, std::size_t from, std::size_t to, std::size_t count) {
  std::memmove(static_cast<void*>(elements + to), static_cast<const void*>(elements + from), count * sizeof(T));
}

}  // namespace

void Array::reserve(std::size_t room) {
  if (!heap->may_hold_elements(room)) heap->note_too_large("Array");
  grow(*heap, elements, length, capacity, room, heap->limits().elements);
}

void Array::push(Value value) {
  if (length == capacity) reserve(std::size_t{length} + 1);
  ::new (elements + length++) Value(std::move(value));
}

void Array::insert(std::size_t at, Value value) {
  reserve(std::size_t{length} + 1);
  shift(elements, at, at + 1, length - at);
  ::new (elements + at) Value(std::move(value));
  ++length;
}

void Array::append(std::span<const Value> values) {
  reserve(length + values.size());
  std::uninitialized_copy(values.begin(), values.end(), elements + length);
  length += static_cast<std::uint32_t>(values.size());
}

Value Array::remove(std::size_t at) {
  Value removed = std::move(elements[at]);
  shift(elements, at + 1, at, length - at - 1);
  --length;
  return removed;
}

void Array::erase(std::size_t first, std::size_t last) {
  std::destroy(elements + first, elements + last);
  shift(elements, last, first, length - last);
  length -= static_cast<std::uint32_t>(last - first);
}

void Array::resize(std::size_t size, const Value& fill) {
  if (size < length) return erase(size, length);
  reserve(size);
  std::uninitialized_fill(elements + length, elements + size, fill);
  length = static_cast<std::uint32_t>(size);
}

void Blob::resize(std::size_t size, std::uint8_t fill) {
  if (!heap->may_hold_string(size)) heap->note_too_large("Blob");
  grow(*heap, bytes, length, capacity, size, heap->limits().string_octets);
  if (size > length) std::fill(bytes + length, bytes + size, fill);
  length = static_cast<std::uint32_t>(size);
}

void Blob::append(std::span<const std::uint8_t> more) {
  const std::size_t old = length;
  resize(old + more.size(), 0);
  std::copy(more.begin(), more.end(), bytes + old);
}

Array& Value::array_for_write(Heap& heap) {
  if (scalar_.object->count != 1) *this = heap.array({as_array().begin(), as_array().size()});
  return *static_cast<Array*>(scalar_.object);
}

Blob& Value::blob_for_write(Heap& heap) {
  if (scalar_.object->count != 1) *this = heap.blob(as_blob().span());
  return *static_cast<Blob*>(scalar_.object);
}

Map& Value::map_for_write(Heap& heap) {
  if (scalar_.object->count != 1) {
    Value copy = heap.map();
    auto& map = *static_cast<Map*>(copy.object());
    for (const auto& [key, value] : as_map().entries()) map.at(key) = value;
    *this = std::move(copy);
  }
  return *static_cast<Map*>(scalar_.object);
}

std::size_t code_points(const Value& value) {
  const std::string_view text = value.as_text();
  auto* string = value.is(Tag::String) ? static_cast<String*>(value.object()) : nullptr;
  if (string != nullptr && string->code_points != String::kUnknown) return string->code_points;
  const auto count = std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  if (string != nullptr && !string->is_immortal()) string->code_points = static_cast<std::uint32_t>(count);
  return static_cast<std::size_t>(count);
}

namespace {

// Keys may come from a message, so nobody outside shall know which collide.
const std::uint64_t kSeed = [] {
  std::uint64_t seed = 0;
  if (const unsigned long random = getauxval(AT_RANDOM)) std::memcpy(&seed, reinterpret_cast<const void*>(random), sizeof seed);
  return seed;
}();

// Multiplies and folds eight octets at a time.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a ^ kSeed} * (b ^ 0xD1B54A32D192ED03u);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint32_t folded(std::uint64_t hash) { return static_cast<std::uint32_t>(hash) | 1; }

}  // namespace

std::uint32_t hash_of(std::string_view text) {
  if (text.size() <= Value::kShortOctets) return hash_of(Value::short_string(text));
  std::uint64_t hash = text.size();
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t octets = std::min(sizeof word, text.size());
    std::memcpy(&word, text.data(), octets);
    hash = mixed(hash ^ word, 0x8CB92BA72F3D8DD7u);
    text.remove_prefix(octets);
  }
  return folded(hash);
}

std::uint32_t hash_of(const Value& value) {
  if (value.is(Tag::Short)) return folded(mixed(value.words()[0], value.words()[1]));
  auto* string = static_cast<String*>(value.object());
  if (string->hash != 0) return string->hash;
  const std::uint32_t hash = hash_of(string->text());
  if (!string->is_immortal()) string->hash = hash;
  return hash;
}

bool same_text(const Value& a, const Value& b) {
  if (a.is(Tag::Short) && b.is(Tag::Short)) return a.is_same(b);
  return a.as_text() == b.as_text();
}

}  // namespace vsl
