// Sorting of arrays. A merge sort of our own: the order comes from scripts, and std::stable_sort may leave the array when an order
// contradicts itself.
#include <algorithm>
#include <functional>
#include <vector>

#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

// Whether `b` belongs before `a`.
using IsBehind = std::function<Expected<bool>(const Value& a, const Value& b)>;

// Stable. On failure the elements are all there still, in some order.
Expected<void> merge_sort(std::vector<Value>& values, const IsBehind& is_behind) {
  const std::size_t size = values.size();
  std::vector<Value> merged(size);
  for (std::size_t run = 1; run < size; run *= 2) {
    for (std::size_t first = 0; first < size; first += 2 * run) {
      std::size_t a = first, b = std::min(first + run, size), to = first;
      const std::size_t a_end = b, b_end = std::min(first + 2 * run, size);
      while (a < a_end && b < b_end) {
        auto behind = is_behind(values[a], values[b]);
        if (!behind) return pass_on(behind.error());
        merged[to++] = values[*behind ? b++ : a++];
      }
      while (a < a_end) merged[to++] = values[a++];
      while (b < b_end) merged[to++] = values[b++];
    }
    values.swap(merged);
  }
  return {};
}

// What has an order among its own: numbers, texts, ... Empty: nothing with it.
std::string_view kind_of(const Value& value) {
  if (value.is_number()) return "number";
  if (value.is_string() || value.is_char()) return "string";
  if (value.is_array() || value.is_map()) return {};
  return type_name(value);
}

Expected<void> check_kinds(const Array& array) {
  for (const Value& value : array) {
    if (!kind_of(value).empty() && kind_of(value) == kind_of(array[0])) continue;
    return fail(ErrorKind::DataType, "cannot sort an array of '" + std::string(type_name(array[0])) + "' and '" +
                                         std::string(type_name(value)) + "' without a function that compares");
  }
  return {};
}

Result sort_with(Run& run, Value& variable, const IsBehind& is_behind) {
  const Array& array = variable.as_array();
  if (auto fits = charge(run, array.size()); !fits) return pass_on(fits.error());
  std::vector<Value> values(array.begin(), array.end());
  if (auto sorted = merge_sort(values, is_behind); !sorted) return pass_on(sorted.error());
  variable = run.heap().array(values);
  return Value();
}

template <bool kDescending>
Result sort(Run& run, Arguments a) {
  if (auto fits = check_kinds(a[0].as_array()); !fits) return pass_on(fits.error());
  return sort_with(run, a[0], [&run](const Value& left, const Value& right) -> Expected<bool> {
    auto order = kDescending ? run.compare(left, right) : run.compare(right, left);
    if (!order) return pass_on(order.error());
    return *order && **order < 0;
  });
}

Result sort_by(Run& run, Arguments a) {
  const Value function = a[1];
  return sort_with(run, a[0], [&](const Value& left, const Value& right) -> Expected<bool> {
    Result order = run.call_back(function, {left, right});
    if (!order) return pass_on(order.error());
    if (!order->is_number())
      return fail(ErrorKind::DataType, "a function that compares must return a number, not a " + std::string(type_name(*order)));
    return order->as_number() > 0;
  });
}

constexpr NativeRow kRows[] = {
    {"sort", "", {Type::Array}, kMutates, sort<false>, "sorts numbers, texts or other values of one kind, smallest first"},
    {"sort", "", {Type::Array, Type::Callback}, kCalls | kMutates, sort_by,
     "sorts by f(v, w): negative if v comes first, positive if w does"},
    {"sort_by", "", {Type::Array, Type::Callback}, kCalls | kMutates, sort_by,
     "sorts by f(v, w): negative if v comes first, positive if w does"},
    {"sort_desc", "", {Type::Array}, kMutates, sort<true>, "sorts values of one kind, largest first"},
};

}  // namespace

std::span<const NativeRow> sort_rows() { return kRows; }

}  // namespace vsl::standard
