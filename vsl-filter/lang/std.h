// What the files of the standard functions (specification 1.8) share. Each std_*.cpp is one family: its rows at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/native.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/lang/value.h"

namespace vsl::standard {

using Arguments = std::span<Value>;

std::span<const NativeRow> core_rows();
std::span<const NativeRow> number_rows();
std::span<const NativeRow> math_rows();
std::span<const NativeRow> bit_rows();
std::span<const NativeRow> string_rows();
std::span<const NativeRow> string_part_rows();
std::span<const NativeRow> string_edit_rows();
std::span<const NativeRow> array_rows();
std::span<const NativeRow> array_callback_rows();
std::span<const NativeRow> array_index_rows();
std::span<const NativeRow> sort_rows();
std::span<const NativeRow> map_rows();
std::span<const NativeRow> range_rows();
std::span<const NativeRow> blob_rows();
std::span<const NativeRow> blob_part_rows();
std::span<const NativeRow> blob_number_rows();
std::span<const NativeRow> regex_rows();
std::span<const NativeRow> encoding_rows();
std::span<const NativeRow> url_rows();

// "String too large": more than the budget allows of one value.
std::unexpected<Failure> too_large(std::string_view what);
// Counts work of this many elements; what natives return when it is too much.
Expected<void> charge(Run& run, std::size_t elements);
// Before a change: what copying will cost if somebody else sees the object.
inline void charge_copy(Run& run, const Value& variable, std::size_t elements) {
  if (variable.object()->count != 1) run.charge(elements / 8);
}
std::unexpected<Failure> pass_on(Failure& failure);

inline Value count_of(std::size_t n) { return static_cast<std::int64_t>(n); }

// A text that a native made: fails when it is larger than a string may be.
Result string_result(Run& run, std::string_view text);
// Fails when an array or map may not have so many elements.
Expected<void> check_elements(Run& run, std::size_t count);
Expected<void> check_octets(Run& run, std::size_t octets);

// --- positions: negative ones count from the end ---

// Where in `size` elements; nullopt: outside.
std::optional<std::size_t> position_in(std::int64_t index, std::size_t size);
// ... clipped to 0 .. size.
std::size_t clipped(std::int64_t index, std::size_t size);

struct Part {
  std::size_t first = 0;
  std::size_t count = 0;
  [[nodiscard]] std::size_t end() const { return first + count; }
};
Part part_from(std::int64_t start, std::size_t size);
Part part_of(std::int64_t start, std::int64_t count, std::size_t size);
Part part_of(const Range& range, std::size_t size);

// --- texts ---

// The octets of a string or char.
class Text {
 public:
  explicit Text(const Value& value);
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  operator std::string_view() const { return view_; }  // NOLINT: it is one

 private:
  char room_[4];
  std::string_view view_;
};

// Octets of the character at the front: as code_points() counts, what looks like a continuation belongs to what is before it.
std::size_t front_octets(std::string_view text);
// The code point at the front and its octets; U+FFFD for what is not UTF-8.
char32_t front_code_point(std::string_view text, std::size_t& octets);
// Octets of the first `code_points` characters; all if there are fewer.
std::size_t octets_of(std::string_view text, std::size_t code_points);
std::string_view part_text(const Value& string, Part part);
// Code points of a text.
std::size_t length_of(std::string_view text);

// Simple case mapping of all of Unicode.
char32_t upper(char32_t c);
char32_t lower(char32_t c);
std::string upper(std::string_view text);
std::string lower(std::string_view text);
// Unicode White_Space.
bool is_white(char32_t c);
std::string_view trimmed(std::string_view text);

// --- callbacks ---

// What map(), filter() and their like call for each element: (v), (v, i), or without parameters with `this` = v.
class ElementCallback {
 public:
  ElementCallback(Run& run, const Value& function) : run_(run), function_(function), takes_(run.parameters_of(function)) {}
  Result operator()(const Value& element, std::size_t position) const;
  // The callback must answer a bool.
  Expected<bool> test(const Value& element, std::size_t position) const;
  // `this` is the element itself, which keeps what becomes of it.
  Result on(Value& element, std::size_t position) const;

 private:
  Run& run_;
  const Value& function_;
  int takes_;
};

Expected<bool> bool_of(Result answer);

}  // namespace vsl::standard
