// Bits of integers: bit 0 is the lowest, negative positions count from the highest.
#include <bit>

#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

constexpr std::size_t kBits = 64;

std::uint64_t bits_of(const Value& number) { return std::bit_cast<std::uint64_t>(number.as_int()); }
Value number_of(std::uint64_t bits) { return std::bit_cast<std::int64_t>(bits); }

std::uint64_t mask(std::size_t count) { return count >= kBits ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1; }

std::unexpected<Failure> outside(const Value& index) {
  return fail(ErrorKind::BitFieldBounds,
              "Bit-field index " + std::to_string(index.as_int()) + " out of bounds: only 64 bits in bit-field");
}

// The field that (n, range) or (n, start, count) names.
Expected<Part> field_of(Arguments a) {
  if (a[1].is_range()) return part_of(a[1].as_range(), kBits);
  if (!position_in(a[1].as_int(), kBits)) return outside(a[1]);
  return part_of(a[1].as_int(), a[2].as_int(), kBits);
}

Result get_bit(Run&, Arguments a) {
  const auto at = position_in(a[1].as_int(), kBits);
  if (!at) return outside(a[1]);
  return (bits_of(a[0]) >> *at & 1) != 0;
}

Result set_bit(Run&, Arguments a) {
  const auto at = position_in(a[1].as_int(), kBits);
  if (!at) return outside(a[1]);
  const std::uint64_t bit = std::uint64_t{1} << *at;
  a[0] = number_of(a[2].as_bool() ? bits_of(a[0]) | bit : bits_of(a[0]) & ~bit);
  return Value();
}

Result get_bits(Run&, Arguments a) {
  auto field = field_of(a);
  if (!field) return pass_on(field.error());
  if (field->count == 0) return 0;
  return number_of(bits_of(a[0]) >> field->first & mask(field->count));
}

Result set_bits(Run&, Arguments a) {
  auto field = field_of(a);
  if (!field) return pass_on(field.error());
  if (field->count == 0) return Value();
  const std::uint64_t where = mask(field->count) << field->first;
  a[0] = number_of((bits_of(a[0]) & ~where) | (bits_of(a.back()) << field->first & where));
  return Value();
}

Result bits(Run& run, Arguments a) {
  Part part{0, kBits};
  if (a.size() == 2) part = a[1].is_range() ? part_of(a[1].as_range(), kBits) : part_from(a[1].as_int(), kBits);
  if (a.size() == 3) part = part_of(a[1].as_int(), a[2].as_int(), kBits);
  Value result = run.heap().array(part.count);
  Array& array = result.array_for_write(run.heap());
  for (std::size_t i = part.first; i < part.end(); ++i) array.push((bits_of(a[0]) >> i & 1) != 0);
  return result;
}

constexpr NativeRow kRows[] = {
    {"get_bit", "", {Type::Int, Type::Int}, kPure, get_bit, "whether this bit is set"},
    {"set_bit", "", {Type::Int, Type::Int, Type::Bool}, kMutates, set_bit, "sets or clears a bit of the variable"},
    {"get_bits", "", {Type::Int, Type::Range}, kPure, get_bits, "the number in these bits"},
    {"get_bits", "", {Type::Int, Type::Int, Type::Int}, kPure, get_bits, "the number in so many bits from a position on"},
    {"set_bits", "", {Type::Int, Type::Range, Type::Int}, kMutates, set_bits, "puts a number into these bits of the variable"},
    {"set_bits", "", {Type::Int, Type::Int, Type::Int, Type::Int}, kMutates, set_bits,
     "puts a number into so many bits from a position on"},
    {"bits", "", {Type::Int}, kPure, bits, "the bits as 64 bools, the lowest first"},
    {"bits", "", {Type::Int, Type::Range}, kPure, bits, "these bits as bools"},
    {"bits", "", {Type::Int, Type::Int}, kPure, bits, "the bits from a position on as bools"},
    {"bits", "", {Type::Int, Type::Int, Type::Int}, kPure, bits, "so many bits from a position on as bools"},
};

}  // namespace

std::span<const NativeRow> bit_rows() { return kRows; }

}  // namespace vsl::standard
