// The objects that values point to. Made by a Heap; see value.h for who may change one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vsl-filter/lang/value.h"

namespace vsl {

struct Code;       // bytecode.h
struct ModuleCode;
struct HostClass;  // host_class.h

// UTF-8. Not longer than 4 GiB (the budget says far less).
struct String : Object {
  static constexpr std::uint32_t kUnknown = 0xFFFFFFFF;

  std::uint32_t octets;
  std::uint32_t capacity;
  std::uint32_t code_points;  // kUnknown until somebody asks
  std::uint32_t hash;         // 0 until somebody asks

  [[nodiscard]] char* data() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), octets}; }
};

// Elements in one piece. Whoever adds elements asks Heap::may_hold() first when their number comes from outside.
struct Array : Object {
  Value* elements;
  std::uint32_t length;
  std::uint32_t capacity;

  [[nodiscard]] std::size_t size() const { return length; }
  [[nodiscard]] bool empty() const { return length == 0; }
  [[nodiscard]] const Value* begin() const { return elements; }
  [[nodiscard]] const Value* end() const { return elements + length; }
  [[nodiscard]] Value* begin() { return elements; }
  [[nodiscard]] Value* end() { return elements + length; }
  [[nodiscard]] const Value& operator[](std::size_t i) const { return elements[i]; }
  [[nodiscard]] Value& operator[](std::size_t i) { return elements[i]; }
  [[nodiscard]] std::span<Value> span() { return {elements, length}; }

  void reserve(std::size_t room);
  void push(Value value);
  void insert(std::size_t at, Value value);
  void append(std::span<const Value> values);  // not of this array itself unless there is room
  Value remove(std::size_t at);
  void erase(std::size_t first, std::size_t last);  // [first, last)
  void resize(std::size_t size, const Value& fill);
};

struct Blob : Object {
  std::uint8_t* bytes;
  std::uint32_t length;
  std::uint32_t capacity;

  [[nodiscard]] std::size_t size() const { return length; }
  [[nodiscard]] std::span<const std::uint8_t> span() const { return {bytes, length}; }
  [[nodiscard]] std::uint8_t& operator[](std::size_t i) { return bytes[i]; }
  [[nodiscard]] std::uint8_t operator[](std::size_t i) const { return bytes[i]; }
  void resize(std::size_t size, std::uint8_t fill);
  void append(std::span<const std::uint8_t> more);
};

// String keys. Entries lie in one piece; more than a few have a hash index. They are put into the order of the keys when somebody
// walks over them: entries() does, so references into a map do not survive it. Maps of a Program are in order for good.
struct Map : Object {
  struct Entry {
    Value key;
    Value value;
  };

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  Entry* items;
  std::uint32_t length;
  std::uint32_t capacity;
  std::uint32_t* index;      // null while there are few; else index_size places, each 0 or 1 + a position in items
  std::uint32_t index_size;  // a power of two
  bool in_order;

  [[nodiscard]] std::size_t size() const { return length; }
  [[nodiscard]] bool empty() const { return length == 0; }
  // In the order of the keys, by octets.
  [[nodiscard]] std::span<const Entry> entries() const;
  // For changing values in place; keys stay.
  [[nodiscard]] std::span<Entry> entries_for_write();

  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] const Value* find(const Value& key) const {  // a string
    if (index == nullptr && key.is(Tag::Short)) {
      for (const Entry *one = items, *end = items + length; one != end; ++one)
        if (one->key.is_same(key)) return &one->value;
      return nullptr;
    }
    const std::size_t at = position(key);
    return at == kNone ? nullptr : &items[at].value;
  }
  [[nodiscard]] Value* find(const Value& key) { return const_cast<Value*>(static_cast<const Map*>(this)->find(key)); }
  [[nodiscard]] Value* find(std::string_view key) { return const_cast<Value*>(static_cast<const Map*>(this)->find(key)); }
  // The value at the key, made as unit if absent.
  Value& at(const Value& key);
  void set(const Value& key, Value value) { at(key) = std::move(value); }
  void set(std::string_view key, Value value);
  // What was there; Absent if nothing.
  Value remove(const Value& key);
  void clear();

 private:
  [[nodiscard]] std::size_t position(const Value& key) const;
  [[nodiscard]] std::size_t indexed_position(std::string_view key, std::uint32_t hash) const;
  [[nodiscard]] std::uint32_t place_of(std::uint32_t position) const;
  void enter(std::uint32_t position);
  void leave(std::uint32_t place);
  void grow();
  void build_index();
  void sort();
};

struct Range : Object {
  std::int64_t first;
  std::int64_t last;
  bool is_inclusive;

  [[nodiscard]] bool contains(std::int64_t i) const { return i >= first && (is_inclusive ? i <= last : i < last); }
  [[nodiscard]] bool empty() const { return is_inclusive ? first > last : first >= last; }
};

// A function pointer: by name (found when called), or to code that the compiler made from a closure or function.
struct Function : Object {
  const Code* code;  // null: by name
  const ModuleCode* module;  // where it was made: a name is looked for there first
  Value name;                // a string; of a closure "closure"
  // First what a closure captured (Cells), then what curry() bound.
  std::uint16_t captured;
  std::uint16_t curried;

  [[nodiscard]] const Value* bound() const { return reinterpret_cast<const Value*>(this + 1); }
  [[nodiscard]] Value* bound() { return reinterpret_cast<Value*>(this + 1); }
  [[nodiscard]] std::span<const Value> curried_values() const { return {bound() + captured, curried}; }
};

// A value of the host's. `data` belongs to the object: the class's destroy() ends it.
struct HostObject : Object {
  const HostClass* host_class;
  void* data;
  HostObject* next;  // live ones of the heap, so that they can be ended with it
  HostObject** link;

  template <class T>
  [[nodiscard]] T& as() const { return *static_cast<T*>(data); }
};

struct Cell : Object {
  Value value;
};

inline std::string_view Value::as_text() const {
  if (is(Tag::Short)) return {inline_.text, inline_.octets};
  return static_cast<const String*>(scalar_.object)->text();
}
inline const Array& Value::as_array() const { return *static_cast<const Array*>(scalar_.object); }
inline const Blob& Value::as_blob() const { return *static_cast<const Blob*>(scalar_.object); }
inline const Map& Value::as_map() const { return *static_cast<const Map*>(scalar_.object); }
inline const Range& Value::as_range() const { return *static_cast<const Range*>(scalar_.object); }
inline const Function& Value::as_function() const { return *static_cast<const Function*>(scalar_.object); }
inline const HostObject& Value::as_host() const { return *static_cast<const HostObject*>(scalar_.object); }
inline Cell& Value::as_cell() const { return *static_cast<Cell*>(scalar_.object); }

// Code points of a string value; counted once for objects.
std::size_t code_points(const Value& string);
// Never 0; equal strings have equal hashes, wherever they lie.
std::uint32_t hash_of(const Value& string);
std::uint32_t hash_of(std::string_view text);
// Both are strings.
bool same_text(const Value& a, const Value& b);

}  // namespace vsl
