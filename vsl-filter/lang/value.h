// A value of the language: 16 octets, a tag and what belongs to it.
//
// Numbers, characters and strings of up to 14 octets lie in the value itself; everything else is a counted object of a Heap
// (object.h, heap.h). Copying a value copies 16 octets and counts; whoever changes an object makes sure first that nobody else
// sees it (array_for_write() and its like), so that values behave as if copied (copy on write).
//
// Counts are not atomic: an object belongs to one Run. Objects of a loaded Program are immortal: nobody counts or changes them, and
// all threads may read them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace vsl {

class Heap;

enum class Tag : std::uint8_t {
  Unit, Bool, Int, Float, Char, Short, Timestamp,
  Absent,  // never seen by scripts: "no such property", a constant that is not made yet, `this` outside of a method
  // objects of a heap
  String, Array, Blob, Map, Range, Function, Host,
  Cell,  // a variable that closures share; scripts see what is in it
};
inline constexpr Tag kFirstObject = Tag::String;

// What every object of a heap begins with.
struct Object {
  static constexpr std::uint32_t kImmortal = 0xFFFFFFFF;

  std::uint32_t count;
  Tag tag;
  Heap* heap;               // of a dead object on its way out: the next one

  [[nodiscard]] bool is_immortal() const { return count == kImmortal; }
};

struct String;
struct Array;
struct Blob;
struct Map;
struct Range;
struct Function;
struct HostObject;
struct Cell;

class Value {
 public:
  static constexpr std::size_t kShortOctets = 14;

  Value() noexcept : words_{0, 0} {}
  // NOLINTBEGIN: what C++ has of the same kind becomes a value; pointers do not become a bool
  template <std::same_as<bool> T>
  Value(T b) noexcept : words_{word(Tag::Bool), b} {}
  Value(std::int64_t i) noexcept : words_{word(Tag::Int), static_cast<std::uint64_t>(i)} {}
  Value(int i) noexcept : Value(std::int64_t{i}) {}
  Value(double f) noexcept : words_{word(Tag::Float), 0} { scalar_.f = f; }
  // NOLINTEND
  // Takes over one count of the object.
  explicit Value(Object* object) noexcept : words_{word(object->tag), 0} { scalar_.object = object; }

  static Value character(char32_t c) noexcept { return scalar(Tag::Char, c); }
  static Value timestamp(std::int64_t nanoseconds) noexcept { return scalar(Tag::Timestamp, static_cast<std::uint64_t>(nanoseconds)); }
  static Value absent() noexcept { return scalar(Tag::Absent, 0); }
  // For texts that are known to be short; Heap::string() makes any.
  static Value short_string(std::string_view text) noexcept {
    Value value;
    value.inline_.tag = Tag::Short;
    value.inline_.octets = static_cast<std::uint8_t>(text.size());
    text.copy(value.inline_.text, text.size());  // unlike memcpy, also of an empty text, which may point nowhere
    return value;
  }

  Value(const Value& other) noexcept : words_{other.words_[0], other.words_[1]} { retain(); }
  Value(Value&& other) noexcept : words_{other.words_[0], other.words_[1]} { other.forget(); }
  Value& operator=(const Value& other) noexcept {
    other.retain();
    const std::uint64_t first = other.words_[0], second = other.words_[1];
    release();  // may be the end of what `other` is part of
    words_[0] = first;
    words_[1] = second;
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    if (this == &other) return *this;
    const std::uint64_t first = other.words_[0], second = other.words_[1];
    other.forget();  // before the release: that may reach `other`
    release();
    words_[0] = first;
    words_[1] = second;
    return *this;
  }
  ~Value() { release(); }

  [[nodiscard]] Tag tag() const { return scalar_.tag; }
  [[nodiscard]] bool is(Tag tag) const { return scalar_.tag == tag; }
  [[nodiscard]] bool is_unit() const { return is(Tag::Unit); }
  [[nodiscard]] bool is_absent() const { return is(Tag::Absent); }
  [[nodiscard]] bool is_bool() const { return is(Tag::Bool); }
  [[nodiscard]] bool is_int() const { return is(Tag::Int); }
  [[nodiscard]] bool is_float() const { return is(Tag::Float); }
  [[nodiscard]] bool is_number() const { return is_int() || is_float(); }
  [[nodiscard]] bool is_char() const { return is(Tag::Char); }
  [[nodiscard]] bool is_string() const { return is(Tag::Short) || is(Tag::String); }
  [[nodiscard]] bool is_array() const { return is(Tag::Array); }
  [[nodiscard]] bool is_blob() const { return is(Tag::Blob); }
  [[nodiscard]] bool is_map() const { return is(Tag::Map); }
  [[nodiscard]] bool is_range() const { return is(Tag::Range); }
  [[nodiscard]] bool is_function() const { return is(Tag::Function); }
  [[nodiscard]] bool is_host() const { return is(Tag::Host); }
  [[nodiscard]] bool is_object() const { return tag() >= kFirstObject; }

  // The caller has looked at the tag.
  [[nodiscard]] bool as_bool() const { return (words_[1] & 1) != 0; }
  [[nodiscard]] std::int64_t as_int() const { return scalar_.i; }
  [[nodiscard]] double as_float() const { return scalar_.f; }
  [[nodiscard]] double as_number() const { return is_int() ? static_cast<double>(scalar_.i) : scalar_.f; }
  [[nodiscard]] char32_t as_char() const { return static_cast<char32_t>(words_[1]); }
  [[nodiscard]] std::int64_t as_timestamp() const { return scalar_.i; }
  // Of a string. Points into this value when it is short: good while the value is neither changed nor moved.
  [[nodiscard]] std::string_view as_text() const;
  [[nodiscard]] Object* object() const { return scalar_.object; }
  [[nodiscard]] const Array& as_array() const;
  [[nodiscard]] const Blob& as_blob() const;
  [[nodiscard]] const Map& as_map() const;
  [[nodiscard]] const Range& as_range() const;
  [[nodiscard]] const Function& as_function() const;
  [[nodiscard]] const HostObject& as_host() const;
  [[nodiscard]] Cell& as_cell() const;

  // The object, copied first into `heap` if anybody else sees it.
  Array& array_for_write(Heap& heap);
  Blob& blob_for_write(Heap& heap);
  Map& map_for_write(Heap& heap);

  // The same 16 octets: for short strings and scalars of one type, equality.
  [[nodiscard]] bool is_same(const Value& other) const { return words_[0] == other.words_[0] && words_[1] == other.words_[1]; }
  [[nodiscard]] const std::uint64_t* words() const { return words_; }

  // Quicker than assignment where the virtual machine knows what was there or what comes.
  void set_int(std::int64_t i) { release(), words_[0] = word(Tag::Int), scalar_.i = i; }
  void set_float(double f) { release(), words_[0] = word(Tag::Float), scalar_.f = f; }
  void set_bool(bool b) { release(), words_[0] = word(Tag::Bool), words_[1] = b; }
  void set_unit() { release(), words_[0] = 0, words_[1] = 0; }
  void set_absent() { release(), words_[0] = word(Tag::Absent); }

 private:
  static constexpr std::uint64_t word(Tag tag) { return static_cast<std::uint64_t>(tag); }  // little-endian: the tag is the first octet
  static Value scalar(Tag tag, std::uint64_t payload) noexcept {
    Value value;
    value.words_[0] = word(tag);
    value.words_[1] = payload;
    return value;
  }
  void retain() const noexcept {
    if (is_object() && !scalar_.object->is_immortal()) ++scalar_.object->count;
  }
  void release() noexcept {
    if (!is_object()) return;
    Object* object = scalar_.object;
    if (!object->is_immortal() && --object->count == 0) destroy(object);
  }
  void forget() noexcept { words_[0] = words_[1] = 0; }
  static void destroy(Object* object) noexcept;

  struct Scalar {
    Tag tag;
    union {
      std::int64_t i;
      double f;
      Object* object;
    };
  };
  struct Inline {
    Tag tag;
    std::uint8_t octets;
    char text[kShortOctets];
  };
  union {
    std::uint64_t words_[2];
    Scalar scalar_;
    Inline inline_;
  };
  friend struct String;
};
static_assert(sizeof(Value) == 16);

// type_of(): "i64", "string", ... of a host object its class's name.
std::string_view type_name(const Value& value);

}  // namespace vsl

#include "vsl-filter/lang/object.h"
