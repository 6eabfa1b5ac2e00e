#include "lib/base/utf8.h"

#include <cstdint>
#include <cstring>

namespace base::utf8 {

std::size_t sequence_octets(std::string_view text) {
  const auto octet = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (octet(i) & 0xC0U) == 0x80U; };
  if (text.empty()) return 0;
  const unsigned first = octet(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && octet(1) < 0xA0) return 0;
    if (first == 0xED && octet(1) > 0x9F) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && octet(1) < 0x90) return 0;
    if (first == 0xF4 && octet(1) > 0x8F) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_valid(std::string_view text) {
  while (!text.empty()) {
    const auto octets = sequence_octets(text);
    if (octets == 0) return false;
    text.remove_prefix(octets);
  }
  return true;
}

bool has_8bit(std::string_view octets) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  const char* at = octets.data();
  std::size_t left = octets.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t eight;
    std::memcpy(&eight, at, 8);
    if ((eight & kHighBits) != 0) return true;
  }
  for (; left > 0; ++at, --left)
    if ((static_cast<unsigned char>(*at) & 0x80U) != 0) return true;
  return false;
}

void append(std::string& out, char32_t code_point) {
  const auto put = [&](unsigned octet) { out += static_cast<char>(octet); };
  const auto tail = [&](unsigned shift) { put(0x80U | (code_point >> shift & 0x3FU)); };
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) code_point = 0xFFFD;
  if (code_point < 0x80) return put(code_point);
  if (code_point < 0x800) return put(0xC0U | code_point >> 6), tail(0);
  if (code_point < 0x10000) return put(0xE0U | code_point >> 12), tail(6), tail(0);
  put(0xF0U | code_point >> 18), tail(12), tail(6), tail(0);
}

}  // namespace base::utf8
