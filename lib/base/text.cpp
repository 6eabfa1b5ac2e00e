#include "lib/base/text.h"

#include <array>
#include <limits>

namespace base::text {

std::string to_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

namespace {
struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

std::optional<std::uint64_t> parse_with_unit(std::string_view text, auto const& units) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  const auto number = parse_number<std::uint64_t>(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (!equal_ignoring_case(text.substr(digits), unit.suffix)) continue;
    if (*number > std::numeric_limits<std::uint64_t>::max() / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

constexpr auto kOctetUnits = std::to_array<Unit>({{"", 1}, {"k", 1024}, {"m", 1024 * 1024}, {"g", 1024 * 1024 * 1024}});
constexpr auto kDurationUnits = std::to_array<Unit>(
    {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"w", 7 * 86'400'000ULL}});
}  // namespace

std::optional<std::uint64_t> parse_octets(std::string_view text) { return parse_with_unit(text, kOctetUnits); }
std::optional<std::uint64_t> parse_duration_milliseconds(std::string_view text) { return parse_with_unit(text, kDurationUnits); }

std::string printable(std::string_view octets, std::size_t limit) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result;
  for (const char c : octets) {
    if (result.size() >= limit) return result + "...";
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet < 0x7f) {
      result += c;
    } else {
      result += "\\x";
      result += kHex[octet >> 4];
      result += kHex[octet & 15];
    }
  }
  return result;
}

}  // namespace base::text
