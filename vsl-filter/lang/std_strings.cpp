// Strings: what looks at them and makes new ones. Parts of strings are in std_string_parts.cpp, changes in place in
// std_string_edits.cpp. Positions count code points.
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

// Octets looked at cost a fraction of an instruction.
Expected<void> charge_octets(Run& run, std::size_t octets) { return charge(run, octets / 64); }

Result contains(Run& run, Arguments a) {
  const std::string_view text = a[0].as_text();
  if (auto fits = charge_octets(run, text.size()); !fits) return pass_on(fits.error());
  return text.find(Text(a[1])) != std::string_view::npos;
}

Result starts_with(Run&, Arguments a) { return a[0].as_text().starts_with(Text(a[1])); }
Result ends_with(Run&, Arguments a) { return a[0].as_text().ends_with(Text(a[1])); }

Result to_upper(Run& run, Arguments a) {
  if (a[0].is_char()) return Value::character(upper(a[0].as_char()));
  return string_result(run, upper(a[0].as_text()));
}

Result to_lower(Run& run, Arguments a) {
  if (a[0].is_char()) return Value::character(lower(a[0].as_char()));
  return string_result(run, lower(a[0].as_text()));
}

Result make_upper(Run& run, Arguments a) {
  auto result = to_upper(run, a);
  if (!result) return result;
  a[0] = std::move(*result);
  return Value();
}

Result make_lower(Run& run, Arguments a) {
  auto result = to_lower(run, a);
  if (!result) return result;
  a[0] = std::move(*result);
  return Value();
}

Result index_of(Run& run, Arguments a) {
  const std::string_view text = a[0].as_text();
  if (auto fits = charge_octets(run, text.size()); !fits) return pass_on(fits.error());
  const std::size_t start = a.size() > 2 ? clipped(a[2].as_int(), code_points(a[0])) : 0;
  const std::size_t skipped = octets_of(text, start);
  const auto at = text.find(Text(a[1]), skipped);
  if (at == std::string_view::npos) return -1;
  return count_of(start + length_of(text.substr(skipped, at - skipped)));
}

Result get(Run& run, Arguments a) {
  run.charge(a[0].as_text().size() / 64);
  const auto at = position_in(a[1].as_int(), code_points(a[0]));
  if (!at) return Value();
  std::size_t octets = 0;
  return Value::character(front_code_point(part_text(a[0], {*at, 1}), octets));
}

Result to_chars(Run& run, Arguments a) {
  const std::size_t count = code_points(a[0]);
  if (auto fits = check_elements(run, count); !fits) return pass_on(fits.error());
  if (auto fits = charge(run, count); !fits) return pass_on(fits.error());
  Value result = run.heap().array(count);
  Array& array = result.array_for_write(run.heap());
  std::size_t octets = 0;
  for (std::string_view text = a[0].as_text(); !text.empty(); text.remove_prefix(octets))
    array.push(Value::character(front_code_point(text, octets)));
  return result;
}

Result to_blob(Run& run, Arguments a) {
  const std::string_view text = a[0].as_text();
  return run.heap().blob({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// f(string, start), f(string, start, count), f(string, range)
Part part_argument(Run& run, Arguments a) {
  run.charge(a[0].as_text().size() / 64);
  const std::size_t size = code_points(a[0]);
  if (a.size() == 1) return {0, size};
  if (a[1].is_range()) return part_of(a[1].as_range(), size);
  return a.size() > 2 ? part_of(a[1].as_int(), a[2].as_int(), size) : part_from(a[1].as_int(), size);
}

Result sub_string(Run& run, Arguments a) { return run.string(part_text(a[0], part_argument(run, a))); }

Result crop(Run& run, Arguments a) {
  a[0] = run.string(part_text(a[0], part_argument(run, a)));
  return Value();
}

constexpr NativeRow kRows[] = {
    {"len", "", {Type::String}, kProperty, [](Run&, Arguments a) -> Result { return count_of(code_points(a[0])); },
     "number of characters (code points)"},
    {"bytes", "", {Type::String}, kProperty, [](Run&, Arguments a) -> Result { return count_of(a[0].as_text().size()); },
     "number of octets in UTF-8"},
    {"is_empty", "", {Type::String}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_text().empty(); },
     "whether there is nothing in it"},
    {"contains", "", {Type::String, Type::Text}, kPure, contains, "whether the text is somewhere in the string; also `text in string`"},
    {"starts_with", "", {Type::String, Type::Text}, kPure, starts_with, "whether the string begins with the text"},
    {"ends_with", "", {Type::String, Type::Text}, kPure, ends_with, "whether the string ends with the text"},
    {"to_upper", "", {Type::Text}, kPure, to_upper, "in capital letters"},
    {"to_lower", "", {Type::Text}, kPure, to_lower, "in small letters"},
    {"make_upper", "", {Type::Text}, kMutates, make_upper, "makes the letters of the variable capital"},
    {"make_lower", "", {Type::Text}, kMutates, make_lower, "makes the letters of the variable small"},
    {"index_of", "", {Type::String, Type::Text}, kPure, index_of, "position of the first such text, -1 if there is none"},
    {"index_of", "", {Type::String, Type::Text, Type::Int}, kPure, index_of,
     "position of the first such text from a position on, -1 if there is none"},
    {"get", "", {Type::String, Type::Int}, kPure, get, "the char at a position, () outside of the string"},
    {"to_chars", "", {Type::String}, kPure, to_chars, "array of its chars"},
    {"to_blob", "", {Type::String}, kPure, to_blob, "its octets in UTF-8"},
    {"sub_string", "", {Type::String, Type::Int}, kPure, sub_string, "the part from a position on"},
    {"sub_string", "", {Type::String, Type::Int, Type::Int}, kPure, sub_string, "so many chars from a position on"},
    {"sub_string", "", {Type::String, Type::Range}, kPure, sub_string, "the chars at these positions"},
    {"chars", "", {Type::String}, kPure, sub_string, "the string, to be walked over char by char: for c in s.chars()"},
    {"chars", "", {Type::String, Type::Int}, kPure, sub_string, "the part from a position on, to be walked over char by char"},
    {"chars", "", {Type::String, Type::Int, Type::Int}, kPure, sub_string, "so many chars from a position on, to be walked over"},
    {"chars", "", {Type::String, Type::Range}, kPure, sub_string, "the chars at these positions, to be walked over"},
    {"crop", "", {Type::String, Type::Int}, kMutates, crop, "keeps only the part from a position on"},
    {"crop", "", {Type::String, Type::Int, Type::Int}, kMutates, crop, "keeps only so many chars from a position on"},
    {"crop", "", {Type::String, Type::Range}, kMutates, crop, "keeps only the chars at these positions"},
};

}  // namespace

std::span<const NativeRow> string_rows() { return kRows; }

}  // namespace vsl::standard
