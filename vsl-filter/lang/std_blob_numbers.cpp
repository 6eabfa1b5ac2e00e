// Numbers and texts in blobs: at a start and of so many octets, or in a range. What does not fit is cut off.
#include <algorithm>
#include <array>
#include <bit>

#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

enum class Order { LittleEndian, BigEndian };
constexpr std::size_t kWord = 8;

// f(blob, range, ...) or f(blob, start, count, ...)
Part part_argument(Arguments a) {
  const std::size_t size = a[0].as_blob().size();
  return a[1].is_range() ? part_of(a[1].as_range(), size) : part_of(a[1].as_int(), a[2].as_int(), size);
}

// Fewer than 8 octets are a smaller number; of more the first 8 count.
template <Order kOrder>
std::uint64_t word_at(Arguments a) {
  const Part part = part_argument(a);
  const auto octets = a[0].as_blob().span().subspan(part.first, std::min(part.count, kWord));
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    const std::size_t shift = 8 * (kOrder == Order::LittleEndian ? i : octets.size() - 1 - i);
    word |= std::uint64_t{octets[i]} << shift;
  }
  return word;
}

template <Order kOrder>
Result parse_int(Run&, Arguments a) { return std::bit_cast<std::int64_t>(word_at<kOrder>(a)); }
template <Order kOrder>
Result parse_float(Run&, Arguments a) { return std::bit_cast<double>(word_at<kOrder>(a)); }

Result put(Run& run, Value& blob, Part part, std::span<const std::uint8_t> octets) {
  const std::size_t count = std::min(part.count, octets.size());
  std::copy_n(octets.begin(), count, blob.blob_for_write(run.heap()).bytes + part.first);
  return Value();
}

template <Order kOrder>
Result write(Run& run, Arguments a) {
  const Part part = part_argument(a);
  const Value& number = a.back();
  const auto word = number.is_int() ? std::bit_cast<std::uint64_t>(number.as_int()) : std::bit_cast<std::uint64_t>(number.as_float());
  std::array<std::uint8_t, kWord> octets{};
  const std::size_t count = std::min(part.count, kWord);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t shift = 8 * (kOrder == Order::LittleEndian ? i : count - 1 - i);
    octets[i] = static_cast<std::uint8_t>(word >> shift);
  }
  return put(run, a[0], {part.first, count}, octets);
}

Result write_utf8(Run& run, Arguments a) {
  const std::string_view text = a.back().as_text();
  return put(run, a[0], part_argument(a), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// Without the characters that ASCII does not have.
Result write_ascii(Run& run, Arguments a) {
  std::string text(a.back().as_text());
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return put(run, a[0], part_argument(a), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

constexpr auto kLittle = Order::LittleEndian;
constexpr auto kBig = Order::BigEndian;

constexpr NativeRow kRows[] = {
    {"parse_le_int", "", {Type::Blob, Type::Range}, kPure, parse_int<kLittle>, "the integer in these octets, the lowest octet first"},
    {"parse_le_int", "", {Type::Blob, Type::Int, Type::Int}, kPure, parse_int<kLittle>,
     "the integer in so many octets from a position on, the lowest first"},
    {"parse_be_int", "", {Type::Blob, Type::Range}, kPure, parse_int<kBig>, "the integer in these octets, the highest octet first"},
    {"parse_be_int", "", {Type::Blob, Type::Int, Type::Int}, kPure, parse_int<kBig>,
     "the integer in so many octets from a position on, the highest first"},
    {"parse_le_float", "", {Type::Blob, Type::Range}, kPure, parse_float<kLittle>,
     "the float in these eight octets, the lowest octet first"},
    {"parse_le_float", "", {Type::Blob, Type::Int, Type::Int}, kPure, parse_float<kLittle>,
     "the float in eight octets from a position on, the lowest first"},
    {"parse_be_float", "", {Type::Blob, Type::Range}, kPure, parse_float<kBig>, "the float in these eight octets, the highest octet first"},
    {"parse_be_float", "", {Type::Blob, Type::Int, Type::Int}, kPure, parse_float<kBig>,
     "the float in eight octets from a position on, the highest first"},
    {"write_le", "", {Type::Blob, Type::Range, Type::Number}, kMutates, write<kLittle>,
     "puts a number into these octets, the lowest octet first"},
    {"write_le", "", {Type::Blob, Type::Int, Type::Int, Type::Number}, kMutates, write<kLittle>,
     "puts a number into so many octets from a position on, the lowest first"},
    {"write_be", "", {Type::Blob, Type::Range, Type::Number}, kMutates, write<kBig>,
     "puts a number into these octets, the highest octet first"},
    {"write_be", "", {Type::Blob, Type::Int, Type::Int, Type::Number}, kMutates, write<kBig>,
     "puts a number into so many octets from a position on, the highest first"},
    {"write_utf8", "", {Type::Blob, Type::Range, Type::String}, kMutates, write_utf8, "puts a text into these octets"},
    {"write_utf8", "", {Type::Blob, Type::Int, Type::Int, Type::String}, kMutates, write_utf8,
     "puts a text into so many octets from a position on"},
    {"write_ascii", "", {Type::Blob, Type::Range, Type::String}, kMutates, write_ascii,
     "puts the ASCII characters of a text into these octets"},
    {"write_ascii", "", {Type::Blob, Type::Int, Type::Int, Type::String}, kMutates, write_ascii,
     "puts the ASCII characters of a text into so many octets from a position on"},
};

}  // namespace

std::span<const NativeRow> blob_number_rows() { return kRows; }

}  // namespace vsl::standard
