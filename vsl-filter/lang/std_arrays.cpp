// Arrays without callbacks. Positions count from the end when negative.
#include <algorithm>
#include <utility>

#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"
#include "vsl-filter/lang/text.h"

namespace vsl::standard {

namespace {

Array& changed(Run& run, Value& variable) {
  charge_copy(run, variable, variable.as_array().size());
  return variable.array_for_write(run.heap());
}

Result push(Run& run, Arguments a) {
  if (auto fits = check_elements(run, a[0].as_array().size() + 1); !fits) return pass_on(fits.error());
  changed(run, a[0]).push(std::move(a[1]));
  return Value();
}

Result append(Run& run, Arguments a) {
  const Value more = std::move(a[1]);  // may be the same array: then the copy on write parts them
  const Array& elements = more.as_array();
  if (auto fits = check_elements(run, a[0].as_array().size() + elements.size()); !fits) return pass_on(fits.error());
  if (auto fits = charge(run, elements.size()); !fits) return pass_on(fits.error());
  changed(run, a[0]).append({elements.begin(), elements.size()});
  return Value();
}

Result contains(Run& run, Arguments a) {
  auto answer = run.contains(a[0], a[1]);
  if (!answer) return pass_on(answer.error());
  return *answer;
}

Result insert(Run& run, Arguments a) {
  const std::size_t size = a[0].as_array().size();
  if (auto fits = check_elements(run, size + 1); !fits) return pass_on(fits.error());
  if (auto fits = charge(run, size / 64); !fits) return pass_on(fits.error());
  changed(run, a[0]).insert(clipped(a[1].as_int(), size), std::move(a[2]));
  return Value();
}

Result pop(Run& run, Arguments a) {
  if (a[0].as_array().empty()) return Value();
  Array& array = changed(run, a[0]);
  return array.remove(array.size() - 1);
}

Result shift(Run& run, Arguments a) {
  if (a[0].as_array().empty()) return Value();
  if (auto fits = charge(run, a[0].as_array().size() / 64); !fits) return pass_on(fits.error());
  return changed(run, a[0]).remove(0);
}

Result remove(Run& run, Arguments a) {
  const auto at = position_in(a[1].as_int(), a[0].as_array().size());
  if (!at) return Value();
  if (auto fits = charge(run, (a[0].as_array().size() - *at) / 64); !fits) return pass_on(fits.error());
  return changed(run, a[0]).remove(*at);
}

Result get(Run&, Arguments a) {
  const auto at = position_in(a[1].as_int(), a[0].as_array().size());
  return at ? a[0].as_array()[*at] : Value();
}

// Nothing happens outside of the array.
Result set(Run& run, Arguments a) {
  if (const auto at = position_in(a[1].as_int(), a[0].as_array().size())) changed(run, a[0])[*at] = std::move(a[2]);
  return Value();
}

std::size_t not_negative(const Value& number) { return static_cast<std::size_t>(std::max<std::int64_t>(number.as_int(), 0)); }

Result truncate(Run& run, Arguments a) {
  const std::size_t keep = not_negative(a[1]), size = a[0].as_array().size();
  if (keep < size) changed(run, a[0]).erase(keep, size);
  return Value();
}

Result chop(Run& run, Arguments a) {
  const std::size_t keep = not_negative(a[1]), size = a[0].as_array().size();
  if (keep < size) changed(run, a[0]).erase(0, size - keep);
  return Value();
}

Result clear(Run& run, Arguments a) {
  a[0] = run.heap().array();
  return Value();
}

Result reverse(Run& run, Arguments a) {
  Array& array = changed(run, a[0]);
  if (auto fits = charge(run, array.size()); !fits) return pass_on(fits.error());
  std::ranges::reverse(array.span());
  return Value();
}

// f(array, start), f(array, start, count), f(array, range)
Part part_argument(Arguments a) {
  const std::size_t size = a[0].as_array().size();
  if (a[1].is_range()) return part_of(a[1].as_range(), size);
  return a.size() > 2 ? part_of(a[1].as_int(), a[2].as_int(), size) : part_from(a[1].as_int(), size);
}

Value copy_of(Run& run, const Value& array, Part part) {
  return run.heap().array(std::span<const Value>(array.as_array().begin() + part.first, part.count));
}

Result extract(Run& run, Arguments a) {
  const Part part = part_argument(a);
  if (auto fits = charge(run, part.count); !fits) return pass_on(fits.error());
  return copy_of(run, a[0], part);
}

// splice(start, count, array) or splice(range, array)
Result splice(Run& run, Arguments a) {
  const std::size_t size = a[0].as_array().size();
  const Part part = a[1].is_range() ? part_of(a[1].as_range(), size) : part_of(a[1].as_int(), a[2].as_int(), size);
  const Value inserted = std::move(a.back());
  const Array& elements = inserted.as_array();
  const std::size_t new_size = size - part.count + elements.size();
  if (auto fits = check_elements(run, new_size); !fits) return pass_on(fits.error());
  if (auto fits = charge(run, new_size); !fits) return pass_on(fits.error());
  Value result = run.heap().array(new_size);
  Array& target = result.array_for_write(run.heap());
  const Value* old = a[0].as_array().begin();
  target.append({old, part.first});
  target.append({elements.begin(), elements.size()});
  target.append({old + part.end(), size - part.end()});
  a[0] = std::move(result);
  return Value();
}

Result split(Run& run, Arguments a) {
  const Part tail = part_argument(a);
  if (auto fits = charge(run, tail.count); !fits) return pass_on(fits.error());
  Value cut = copy_of(run, a[0], tail);
  changed(run, a[0]).erase(tail.first, tail.end());
  return cut;
}

Result pad(Run& run, Arguments a) {
  const std::size_t size = not_negative(a[1]);
  if (size <= a[0].as_array().size()) return Value();
  if (auto fits = check_elements(run, size); !fits) return pass_on(fits.error());
  if (auto fits = charge(run, size); !fits) return pass_on(fits.error());
  changed(run, a[0]).resize(size, a[2]);
  return Value();
}

Result drain(Run& run, Arguments a) {
  const Part part = part_argument(a);
  if (auto fits = charge(run, part.count); !fits) return pass_on(fits.error());
  Value taken = copy_of(run, a[0], part);
  changed(run, a[0]).erase(part.first, part.end());
  return taken;
}

// Answers what it took away.
Result retain(Run& run, Arguments a) {
  const Part part = part_argument(a);
  const std::size_t size = a[0].as_array().size();
  if (auto fits = charge(run, size); !fits) return pass_on(fits.error());
  Value taken = copy_of(run, a[0], {0, part.first});
  taken.array_for_write(run.heap()).append({a[0].as_array().begin() + part.end(), size - part.end()});
  Array& array = changed(run, a[0]);
  array.erase(part.end(), size);
  array.erase(0, part.first);
  return taken;
}

Result join(Run& run, Arguments a) {
  const Value none = Value::short_string({});
  const Text separator(a.size() > 1 ? a[1] : none);
  std::string out;
  bool is_first = true;
  if (auto fits = charge(run, a[0].as_array().size()); !fits) return pass_on(fits.error());
  for (const Value& element : a[0].as_array()) {
    if (!std::exchange(is_first, false)) out += separator;
    append_text(out, element);
    if (auto fits = check_octets(run, out.size()); !fits) return pass_on(fits.error());
  }
  return run.string(out);
}

Result index_of(Run& run, Arguments a) {
  const Array& array = a[0].as_array();
  if (auto fits = charge(run, array.size()); !fits) return pass_on(fits.error());
  for (std::size_t i = a.size() > 2 ? clipped(a[2].as_int(), array.size()) : 0; i < array.size(); ++i) {
    auto is_equal = run.equal(array[i], a[1]);
    if (!is_equal) return pass_on(is_equal.error());
    if (*is_equal) return count_of(i);
  }
  return -1;
}

constexpr NativeRow kRows[] = {
    {"len", "", {Type::Array}, kProperty, [](Run&, Arguments a) -> Result { return count_of(a[0].as_array().size()); },
     "number of elements"},
    {"is_empty", "", {Type::Array}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_array().empty(); },
     "whether it has no elements"},
    {"push", "", {Type::Array, Type::Any}, kMutates, push, "appends an element"},
    {"append", "", {Type::Array, Type::Array}, kMutates, append, "appends all elements of another array; also +="},
    {"contains", "", {Type::Array, Type::Any}, kPure, contains, "whether some element equals the value; also `value in array`"},
    {"insert", "", {Type::Array, Type::Int, Type::Any}, kMutates, insert,
     "puts an element before a position; beyond the end it is appended"},
    {"pop", "", {Type::Array}, kMutates, pop, "takes the last element away and answers it, () if there is none"},
    {"shift", "", {Type::Array}, kMutates, shift, "takes the first element away and answers it, () if there is none"},
    {"remove", "", {Type::Array, Type::Int}, kMutates, remove, "takes the element at a position away and answers it, () if there is none"},
    {"get", "", {Type::Array, Type::Int}, kPure, get, "the element at a position, () if there is none"},
    {"set", "", {Type::Array, Type::Int, Type::Any}, kMutates, set, "replaces the element at a position, if there is one"},
    {"truncate", "", {Type::Array, Type::Int}, kMutates, truncate, "keeps only the first so many elements"},
    {"chop", "", {Type::Array, Type::Int}, kMutates, chop, "keeps only the last so many elements"},
    {"clear", "", {Type::Array}, kMutates, clear, "takes all elements away"},
    {"reverse", "", {Type::Array}, kMutates, reverse, "puts the elements into the opposite order"},
    {"extract", "", {Type::Array, Type::Int}, kPure, extract, "array of the elements from a position on"},
    {"extract", "", {Type::Array, Type::Int, Type::Int}, kPure, extract, "array of so many elements from a position on"},
    {"extract", "", {Type::Array, Type::Range}, kPure, extract, "array of the elements at these positions"},
    {"splice", "", {Type::Array, Type::Int, Type::Int, Type::Array}, kMutates, splice,
     "puts the elements of another array in place of so many from a position on"},
    {"splice", "", {Type::Array, Type::Range, Type::Array}, kMutates, splice,
     "puts the elements of another array in place of those at these positions"},
    {"split", "", {Type::Array, Type::Int}, kMutates, split, "cuts the elements from a position on off and answers them"},
    {"pad", "", {Type::Array, Type::Int, Type::Any}, kMutates, pad, "appends a value again and again until there are so many elements"},
    {"drain", "", {Type::Array, Type::Range}, kMutates, drain, "takes the elements at these positions away and answers them"},
    {"drain", "", {Type::Array, Type::Int, Type::Int}, kMutates, drain, "takes so many elements from a position on away and answers them"},
    {"retain", "", {Type::Array, Type::Range}, kMutates, retain, "keeps only the elements at these positions, answers the others"},
    {"retain", "", {Type::Array, Type::Int, Type::Int}, kMutates, retain,
     "keeps only so many elements from a position on, answers the others"},
    {"join", "", {Type::Array}, kPure, join, "the texts of all elements in a row"},
    {"join", "", {Type::Array, Type::Text}, kPure, join, "the texts of all elements with a separator between"},
};
// Behind those with callbacks: a function as value is looked for by calling it.
constexpr NativeRow kIndexOf[] = {
    {"index_of", "", {Type::Array, Type::Any}, kPure, index_of, "position of the first element that equals the value, -1 if there is none"},
    {"index_of", "", {Type::Array, Type::Any, Type::Int}, kPure, index_of,
     "position of the first such element from a position on, -1 if there is none"},
};

}  // namespace

std::span<const NativeRow> array_rows() { return kRows; }
std::span<const NativeRow> array_index_rows() { return kIndexOf; }

}  // namespace vsl::standard

namespace vsl {

bool is_array_push(const NativeRow& row) { return row.run == standard::push; }

}  // namespace vsl
