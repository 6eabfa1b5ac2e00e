#include "lib/sasl/prepare.h"

#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "lib/base/utf8.h"

namespace sasl {
namespace {

struct Range {
  ucs4_t first, last;
};
constexpr bool is_in(std::span<const Range> ranges, ucs4_t c) {
  return std::ranges::any_of(ranges, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

// RFC 3454 table C.1.2, but U+0020.
constexpr Range kBlanks[] = {{0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200b}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
// Table B.1.
constexpr Range kNothing[] = {{0xad, 0xad}, {0x34f, 0x34f}, {0x1806, 0x1806}, {0x180b, 0x180d}, {0x200c, 0x200d}, {0x2060, 0x2060}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}};
// Tables C.2.1, C.2.2, C.3 to C.9.
constexpr Range kProhibited[] = {{0, 0x1f},         {0x7f, 0x9f},       {0x340, 0x341},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x180e, 0x180e},
                                 {0x200e, 0x200f},  {0x2028, 0x202e},   {0x2061, 0x206f},   {0x2ff0, 0x2ffb},   {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},
                                 {0xfff9, 0xffff},  {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff}, {0x2fffe, 0x2ffff}, {0x3fffe, 0x3ffff}, {0x4fffe, 0x4ffff},
                                 {0x5fffe, 0x5ffff}, {0x6fffe, 0x6ffff}, {0x7fffe, 0x7ffff}, {0x8fffe, 0x8ffff}, {0x9fffe, 0x9ffff}, {0xafffe, 0xaffff},
                                 {0xbfffe, 0xbffff}, {0xcfffe, 0xcffff}, {0xdfffe, 0xdffff}, {0xe0000, 0xe0fff}, {0xefffe, 0x10ffff}};

bool is_plain_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

std::u32string mapped(std::string_view text) {
  std::u32string out;
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t left = text.size(); left > 0;) {
    ucs4_t c = 0;
    const int octets = ::u8_mbtoucr(&c, at, left);
    if (octets <= 0) return {};
    at += octets;
    left -= static_cast<std::size_t>(octets);
    if (is_in(kNothing, c)) continue;
    out += static_cast<char32_t>(is_in(kBlanks, c) ? ' ' : c);
  }
  return out;
}

}  // namespace

std::optional<std::string> prepared(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (is_plain_ascii(text)) return std::string(text);
  if (!base::utf8::is_valid(text)) return std::nullopt;
  const auto letters = mapped(text);
  std::size_t count = 0;
  const std::unique_ptr<std::uint32_t, decltype(&std::free)> normal(
      ::u32_normalize(UNINORM_NFKC, reinterpret_cast<const std::uint32_t*>(letters.data()), letters.size(), nullptr, &count), &std::free);
  if (normal == nullptr || count == 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (is_in(kProhibited, normal.get()[i])) return std::nullopt;
    base::utf8::append(out, static_cast<char32_t>(normal.get()[i]));
  }
  return out;
}

}  // namespace sasl
