// Numbers: integers, and conversions to and from text. Functions of floats are in std_math.cpp, bits in std_bits.cpp.
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "lib/base/text.h"
#include "vsl-filter/lang/std.h"
#include "vsl-filter/lang/text.h"

namespace vsl::standard {

namespace {

Result abs(Run&, Arguments a) {
  if (a[0].is_float()) return std::fabs(a[0].as_float());
  const std::int64_t number = a[0].as_int();
  if (number == std::numeric_limits<std::int64_t>::min())
    return fail(ErrorKind::Arithmetic, "Negation overflow: -" + std::to_string(number));
  return number < 0 ? -number : number;
}

// -1, 0 or 1; of floats too an integer.
Result sign(Run&, Arguments a) {
  const double number = a[0].as_number();
  return number > 0 ? 1 : number < 0 ? -1 : 0;
}

template <bool kLarger>
Result pick(Run& run, Arguments a) {
  auto order = run.compare(a[0], a[1]);
  if (!order) return pass_on(order.error());
  const bool is_first = *order && (kLarger ? **order >= 0 : **order <= 0);
  return std::move(a[is_first ? 0 : 1]);
}

Result to_int(Run&, Arguments a) {
  if (a[0].is_int()) return a[0];
  if (a[0].is_char()) return static_cast<std::int64_t>(a[0].as_char());
  const double number = std::trunc(a[0].as_float());
  // 2^63 is the first float that does not fit.
  if (!(number >= -0x1p63 && number < 0x1p63))
    return fail(ErrorKind::Arithmetic, "Integer overflow: to_int(" + text_of(a[0]) + ")");
  return static_cast<std::int64_t>(number);
}

std::unexpected<Failure> no_number(std::string_view kind, std::string_view text, std::string_view why) {
  return fail(ErrorKind::Arithmetic,
              "Error parsing " + std::string(kind) + " number '" + base::text::printable(text) + "': " + std::string(why));
}

// Blanks around, one sign, digits of the radix: nothing else.
Result parse_int_of(std::string_view given, std::int64_t radix) {
  constexpr std::string_view kKind = "integer";
  if (radix < 2 || radix > 36) return fail(ErrorKind::Arithmetic, "Invalid radix: '" + std::to_string(radix) + "', not between 2 and 36");
  std::string_view text = trimmed(given);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  if (text.empty()) return no_number(kKind, given, "there are no digits");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, static_cast<int>(radix));
  if (error == std::errc::result_out_of_range) return no_number(kKind, given, "it does not fit in 64 bits");
  if (error != std::errc() || end != text.data() + text.size())
    return no_number(kKind, given, "not made of digits of base " + std::to_string(radix) + " only");
  return number;
}

Result parse_int(Run&, Arguments a) { return parse_int_of(a[0].as_text(), a.size() > 1 ? a[1].as_int() : 10); }

Result parse_float(Run&, Arguments a) {
  constexpr std::string_view kKind = "floating-point";
  const std::string_view given = a[0].as_text();
  std::string_view text = trimmed(given);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  if (text.empty()) return no_number(kKind, given, "there are no digits");
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return no_number(kKind, given, "it does not fit in 64 bits");
  if (error != std::errc() || end != text.data() + text.size()) return no_number(kKind, given, "not written as a number");
  return number;
}

// Negative numbers as their two's complement.
template <int kRadix>
Result in_radix(Run& run, Arguments a) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, std::bit_cast<std::uint64_t>(a[0].as_int()), kRadix).ptr;
  return run.string({digits, static_cast<std::size_t>(end - digits)});
}

constexpr NativeRow kNumbers[] = {
    {"abs", "", {Type::Number}, kPure, abs, "the number without its sign"},
    {"sign", "", {Type::Number}, kPure, sign, "-1, 0 or 1"},
    {"min", "", {Type::Number, Type::Number}, kPure, pick<false>, "the smaller of two numbers"},
    {"min", "", {Type::Text, Type::Text}, kPure, pick<false>, "the text that comes first"},
    {"max", "", {Type::Number, Type::Number}, kPure, pick<true>, "the larger of two numbers"},
    {"max", "", {Type::Text, Type::Text}, kPure, pick<true>, "the text that comes last"},
    {"is_zero", "", {Type::Number}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_number() == 0; }, "whether it is 0"},
    {"is_odd", "", {Type::Int}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_int() % 2 != 0; }, "whether it is odd"},
    {"is_even", "", {Type::Int}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_int() % 2 == 0; }, "whether it is even"},
    {"to_int", "", {Type::Number}, kPure, to_int, "the number as an integer, its fraction cut off"},
    {"to_int", "", {Type::Char}, kPure, to_int, "the Unicode code point of a char"},
    {"to_float", "", {Type::Number}, kPure, [](Run&, Arguments a) -> Result { return a[0].as_number(); }, "the number as a float"},
    {"parse_int", "", {Type::String}, kPure, parse_int, "the integer that a text says; blanks around it are allowed"},
    {"parse_int", "", {Type::String, Type::Int}, kPure, parse_int, "the integer that a text says in a base from 2 to 36"},
    {"parse_float", "", {Type::String}, kPure, parse_float, "the float that a text says; blanks around it are allowed"},
    {"to_hex", "", {Type::Int}, kPure, in_radix<16>, "hexadecimal digits, without 0x"},
    {"to_octal", "", {Type::Int}, kPure, in_radix<8>, "octal digits, without 0o"},
    {"to_binary", "", {Type::Int}, kPure, in_radix<2>, "binary digits, without 0b"},
};

}  // namespace

std::span<const NativeRow> number_rows() { return kNumbers; }

}  // namespace vsl::standard
