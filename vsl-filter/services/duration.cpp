#include "vsl-filter/services/duration.h"

#include <array>
#include <cstdint>

#include "lib/base/text.h"

namespace rules {
namespace {

namespace text = base::text;

struct Unit {
  std::string_view names;  // the first one is the shortest
  std::int64_t milliseconds;
};
constexpr auto kUnits = std::to_array<Unit>({
    {"ms msec millis millisecond milliseconds", 1},
    {"s sec secs second seconds", 1000},
    {"m min mins minute minutes", 60'000},
    {"h hr hrs hour hours", 3'600'000},
    {"d day days", 86'400'000},
    {"w week weeks", 7 * 86'400'000LL},
});

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits)
    for (const auto known : text::split(unit.names, ' '))
      if (text::equal_ignoring_case(known, name)) return &unit;
  return nullptr;
}

std::string_view take_while(std::string_view& from, bool (*is_wanted)(char)) {
  std::size_t length = 0;
  while (length < from.size() && is_wanted(from[length])) ++length;
  const auto taken = from.substr(0, length);
  from.remove_prefix(length);
  return taken;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view written) {
  std::int64_t total = 0;
  written = text::trim(written);
  if (written.empty()) return std::nullopt;
  while (!written.empty()) {
    const auto number = text::parse_number<std::int64_t>(take_while(written, [](char c) { return text::is_digit(c); }));
    take_while(written, [](char c) { return text::is_space(c); });
    const Unit* unit = find_unit(take_while(written, [](char c) { return text::is_alpha(c); }));
    std::int64_t part;
    if (!number || unit == nullptr || __builtin_mul_overflow(*number, unit->milliseconds, &part) || __builtin_add_overflow(total, part, &total))
      return std::nullopt;
    written = text::trim(written);
  }
  return std::chrono::milliseconds(total);
}

std::string duration_text(std::chrono::milliseconds duration) {
  std::int64_t left = duration.count();
  std::string result;
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    const std::int64_t count = left / unit->milliseconds;
    left %= unit->milliseconds;
    if (count == 0) continue;
    if (!result.empty()) result += ' ';
    result += std::to_string(count) + ' ' + std::string(text::split_once(unit->names, ' ').first);
  }
  return result.empty() ? "0 s" : result;
}

}  // namespace rules
