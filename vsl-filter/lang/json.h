// JSON (RFC 8259) to and from values, without a tree between.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "vsl-filter/lang/heap.h"
#include "vsl-filter/lang/value.h"

namespace vsl::json {

struct Fault {
  std::string what;
  std::size_t line = 0;
  std::size_t column = 0;      // in octets
  bool is_too_large = false;   // more than the heap may hold of one value
  [[nodiscard]] std::string message() const;
};

inline constexpr int kDeepest = 128;  // arrays and objects in one another

// null is unit, numbers without fraction and exponent that fit are integers; of equal names the last one counts.
std::expected<Value, Fault> read(Heap& heap, std::string_view text);

// Map members in the order of their names. Unit, NaN and the infinities are null, blobs arrays of numbers; what JSON has no words for
// (functions, ranges, timestamps, objects of the host) is its text. `indent` 0: one line without blanks.
// Stops when more than `most_octets` are written: false.
bool write(std::string& out, const Value& value, std::size_t indent = 0, std::size_t most_octets = static_cast<std::size_t>(-1));

}  // namespace vsl::json
