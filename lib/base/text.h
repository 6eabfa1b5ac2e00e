// ASCII text: case, splitting, numbers. Nothing here looks at the locale.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace base::text {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}
constexpr bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}
std::string to_lower(std::string_view text);

// "EHLO example.org" at ' ' -> {"EHLO", "example.org"}; without the separator the second part is empty.
constexpr std::pair<std::string_view, std::string_view> split_once(std::string_view text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}
std::vector<std::string_view> split(std::string_view text, char separator);

// Each word between spaces, as split() has them, but for empty ones.
constexpr void for_words(std::string_view text, auto&& use) {
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size() < text.size() ? word.size() + 1 : word.size());
    if (!word.empty()) use(word);
  }
}

// Space and tab, at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Removes `token` from the front of `text` and says whether it was there.
constexpr bool consume(std::string_view& text, std::string_view token) {
  if (!text.starts_with(token)) return false;
  text.remove_prefix(token.size());
  return true;
}
// Exactly `count` digits from the front.
constexpr std::optional<int> consume_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

// The whole text is a number without sign or blanks (signed types may have '-') and fits the type.
template <std::integral Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// "10", "4k", "20M", "1G" (factors of 1024) -> octets.
std::optional<std::uint64_t> parse_octets(std::string_view text);
// "30", "30s", "5m", "2h", "5d", "250ms" -> milliseconds; a bare number is seconds.
std::optional<std::uint64_t> parse_duration_milliseconds(std::string_view text);

// For logs and error texts: control characters and octets over 126 as \xNN, at most `limit` characters, then "...".
std::string printable(std::string_view octets, std::size_t limit = 200);

}  // namespace base::text
