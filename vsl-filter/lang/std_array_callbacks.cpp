// Arrays: what calls a function for each element.
//
// The array is held by a value of its own meanwhile: whatever the callback does to the variable happens to a copy.
#include <algorithm>

#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

Result map(Run& run, Arguments a) {
  const ElementCallback callback(run, a[1]);
  const Array& array = a[0].as_array();
  Value result = run.heap().array(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    Result made = callback(array[i], i);
    if (!made) return made;
    result.array_for_write(run.heap()).push(std::move(*made));
  }
  return result;
}

Result filter(Run& run, Arguments a) {
  const ElementCallback callback(run, a[1]);
  const Array& array = a[0].as_array();
  Value result = run.heap().array();
  for (std::size_t i = 0; i < array.size(); ++i) {
    auto is_kept = callback.test(array[i], i);
    if (!is_kept) return pass_on(is_kept.error());
    if (*is_kept) result.array_for_write(run.heap()).push(array[i]);
  }
  return result;
}

// `this` is the element, and what becomes of it stays in the array.
Result for_each(Run& run, Arguments a) {
  const ElementCallback callback(run, a[1]);
  const Value source = a[0];
  for (std::size_t i = 0; i < source.as_array().size(); ++i) {
    Value element = source.as_array()[i];
    if (Result done = callback.on(element, i); !done) return done;
    if (!element.is_same(source.as_array()[i])) a[0].array_for_write(run.heap())[i] = std::move(element);
  }
  return Value();
}

// The position of the first element from `start` on for which the callback says so; npos if there is none.
constexpr std::size_t kNone = static_cast<std::size_t>(-1);
Expected<std::size_t> first(Run& run, const Array& array, const Value& function, bool wanted, std::size_t start = 0) {
  const ElementCallback callback(run, function);
  for (std::size_t i = start; i < array.size(); ++i) {
    auto is_it = callback.test(array[i], i);
    if (!is_it) return pass_on(is_it.error());
    if (*is_it == wanted) return i;
  }
  return kNone;
}

Result some(Run& run, Arguments a) {
  auto at = first(run, a[0].as_array(), a[1], true);
  if (!at) return pass_on(at.error());
  return *at != kNone;
}

Result all(Run& run, Arguments a) {
  auto at = first(run, a[0].as_array(), a[1], false);
  if (!at) return pass_on(at.error());
  return *at == kNone;
}

std::size_t start_argument(Arguments a) { return a.size() > 2 ? clipped(a[2].as_int(), a[0].as_array().size()) : 0; }

Result find(Run& run, Arguments a) {
  auto at = first(run, a[0].as_array(), a[1], true, start_argument(a));
  if (!at) return pass_on(at.error());
  return *at == kNone ? Value() : a[0].as_array()[*at];
}

Result index_of(Run& run, Arguments a) {
  auto at = first(run, a[0].as_array(), a[1], true, start_argument(a));
  if (!at) return pass_on(at.error());
  return *at == kNone ? Value(-1) : count_of(*at);
}

Result find_map(Run& run, Arguments a) {
  const ElementCallback callback(run, a[1]);
  const Array& array = a[0].as_array();
  for (std::size_t i = start_argument(a); i < array.size(); ++i) {
    Result made = callback(array[i], i);
    if (!made || !made->is_unit()) return made;
  }
  return Value();
}

template <bool kFromEnd>
Result reduce(Run& run, Arguments a) {
  const Array& array = a[0].as_array();
  const bool takes_position = run.parameters_of(a[1]) == 3;
  Value result = a.size() > 2 ? std::move(a[2]) : Value();
  for (std::size_t step = 0; step < array.size(); ++step) {
    const std::size_t i = kFromEnd ? array.size() - 1 - step : step;
    const Value arguments[] = {std::move(result), array[i], count_of(i)};
    Result next = run.call_back(a[1], {arguments, std::size_t{takes_position ? 3u : 2u}});
    if (!next) return next;
    result = std::move(*next);
  }
  return result;
}

Result zip(Run& run, Arguments a) {
  const Array& left = a[0].as_array();
  const Array& right = a[1].as_array();
  const std::size_t size = std::min(left.size(), right.size());
  const bool takes_position = run.parameters_of(a[2]) == 3;
  Value result = run.heap().array(size);
  for (std::size_t i = 0; i < size; ++i) {
    const Value arguments[] = {left[i], right[i], count_of(i)};
    Result made = run.call_back(a[2], {arguments, std::size_t{takes_position ? 3u : 2u}});
    if (!made) return made;
    result.array_for_write(run.heap()).push(std::move(*made));
  }
  return result;
}

// Takes away the elements for which the callback says `taken`, and answers them.
Result part(Run& run, Arguments a, bool taken) {
  const ElementCallback callback(run, a[1]);
  const Value source = a[0];
  Value kept = run.heap().array(), gone = run.heap().array();
  for (std::size_t i = 0; i < source.as_array().size(); ++i) {
    const Value& element = source.as_array()[i];
    auto is_it = callback.test(element, i);
    if (!is_it) return pass_on(is_it.error());
    (*is_it == taken ? gone : kept).array_for_write(run.heap()).push(element);
  }
  a[0] = std::move(kept);
  return gone;
}

Result drain(Run& run, Arguments a) { return part(run, a, true); }
Result retain(Run& run, Arguments a) { return part(run, a, false); }

// Of elements in a row that are the same only the first stays.
Result dedup(Run& run, Arguments a) {
  const Value source = a[0];
  const Array& array = source.as_array();
  if (auto fits = charge(run, array.size()); !fits) return pass_on(fits.error());
  Value kept = run.heap().array();
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) {
      const Array& so_far = kept.as_array();
      const Value& last = so_far[so_far.size() - 1];
      auto is_same = a.size() > 1 ? bool_of(run.call_back(a[1], {last, array[i]})) : run.equal(last, array[i]);
      if (!is_same) return pass_on(is_same.error());
      if (*is_same) continue;
    }
    kept.array_for_write(run.heap()).push(array[i]);
  }
  a[0] = std::move(kept);
  return Value();
}

constexpr NativeRow kRows[] = {
    {"map", "", {Type::Array, Type::Callback}, kCalls, map, "array of what the function makes of each element: f(v) or f(v, i)"},
    {"filter", "", {Type::Array, Type::Callback}, kCalls, filter, "array of the elements for which f(v) or f(v, i) is true"},
    {"for_each", "", {Type::Array, Type::Callback}, kCalls | kMutates, for_each, "calls the function for each element, which is `this`"},
    {"some", "", {Type::Array, Type::Callback}, kCalls, some, "whether f(v) is true of some element"},
    {"all", "", {Type::Array, Type::Callback}, kCalls, all, "whether f(v) is true of all elements"},
    {"find", "", {Type::Array, Type::Callback}, kCalls, find, "the first element for which f(v) is true, () if there is none"},
    {"find", "", {Type::Array, Type::Callback, Type::Int}, kCalls, find, "the first such element from a position on, () if there is none"},
    {"find_map", "", {Type::Array, Type::Callback}, kCalls, find_map, "the first f(v) that is not (), else ()"},
    {"find_map", "", {Type::Array, Type::Callback, Type::Int}, kCalls, find_map,
     "the first f(v) from a position on that is not (), else ()"},
    {"index_of", "", {Type::Array, Type::Function}, kCalls, index_of, "position of the first element for which f(v) is true, else -1"},
    {"index_of", "", {Type::Array, Type::Function, Type::Int}, kCalls, index_of,
     "position of the first such element from a position on, else -1"},
    {"reduce", "", {Type::Array, Type::Callback}, kCalls, reduce<false>,
     "what f(result so far, v) makes of all elements, beginning with ()"},
    {"reduce", "", {Type::Array, Type::Callback, Type::Any}, kCalls, reduce<false>,
     "what f(result so far, v) makes of all elements, beginning with a value"},
    {"reduce_rev", "", {Type::Array, Type::Callback}, kCalls, reduce<true>, "as reduce(), from the last element to the first"},
    {"reduce_rev", "", {Type::Array, Type::Callback, Type::Any}, kCalls, reduce<true>, "as reduce(), from the last element to the first"},
    {"zip", "", {Type::Array, Type::Array, Type::Callback}, kCalls, zip, "array of what f(v, w) makes of the elements of both arrays"},
    {"drain", "", {Type::Array, Type::Callback}, kCalls | kMutates, drain,
     "takes the elements away for which f(v) is true and answers them"},
    {"retain", "", {Type::Array, Type::Callback}, kCalls | kMutates, retain,
     "keeps only the elements for which f(v) is true, answers the others"},
    {"dedup", "", {Type::Array}, kMutates, dedup, "of equal elements in a row keeps the first"},
    {"dedup", "", {Type::Array, Type::Callback}, kCalls | kMutates, dedup,
     "of elements in a row for which f(v, w) is true keeps the first"},
};

}  // namespace

std::span<const NativeRow> array_callback_rows() { return kRows; }

}  // namespace vsl::standard
