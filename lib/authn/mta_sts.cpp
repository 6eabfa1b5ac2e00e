#include "lib/authn/mta_sts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/text.h"

namespace authn::sts {
namespace {

namespace text = base::text;

struct ModeRow {
  Mode mode;
  std::string_view word;
};
constexpr auto kModes = std::to_array<ModeRow>({
    {Mode::None, "none"},
    {Mode::Testing, "testing"},
    {Mode::Enforce, "enforce"},
});

constexpr bool is_alphanumeric(char c) { return text::is_alpha(c) || text::is_digit(c); }

// sts-ext-name of section 3.1, sts-policy-ext-name of section 3.2.
bool is_name(std::string_view name) {
  constexpr std::size_t kLongest = 32;
  if (name.empty() || name.size() > kLongest || !is_alphanumeric(name.front())) return false;
  return std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; });
}

// sts-id: 1*32(ALPHA / DIGIT).
bool is_id(std::string_view id) {
  constexpr std::size_t kLongest = 32;
  return !id.empty() && id.size() <= kLongest && std::ranges::all_of(id, is_alphanumeric);
}

// sts-ext-value: octets but "=", ";", SP and control characters.
bool is_value(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7F && c != '=' && c != ';'; });
}

// The fields of a record behind its version: the id, where all is as section 3.1 has it.
std::optional<std::string> read_fields(std::string_view fields) {
  std::optional<std::string> id;
  const auto parts = text::split(fields, ';');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = text::trim(parts[i]);
    if (part.empty() && i + 1 == parts.size()) break;  // behind the last delimiter
    const auto [name, value] = text::split_once(part, '=');
    if (!is_name(name) || !is_value(value)) return std::nullopt;
    if (name != "id" || id) continue;
    if (!is_id(value)) return std::nullopt;
    id = value;
  }
  return id;
}

// A domain in A-labels, perhaps behind "*.".
bool is_pattern(std::string_view pattern) {
  constexpr std::size_t kLongest = 255;
  text::consume(pattern, "*.");
  if (pattern.empty() || pattern.size() > kLongest) return false;
  return std::ranges::all_of(text::split(pattern, '.'), [](std::string_view label) {
    return !label.empty() && label.front() != '-' && label.back() != '-' && std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
  });
}

// Of one file; all but the first line of a key count for nothing, but for mx.
struct Lines {
  std::optional<std::string_view> version, mode, max_age;
  std::vector<std::string_view> mx;
};

std::expected<Lines, std::string> read_lines(std::string_view file) {
  Lines lines;
  const auto keep_first = [](std::optional<std::string_view>& slot, std::string_view value) {
    if (!slot) slot = value;
  };
  for (auto line : text::split(file, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = text::trim(line);
    if (line.empty()) continue;
    const auto [key, rest] = text::split_once(line, ':');
    const auto value = text::trim(rest);
    if (key.size() == line.size() || !is_name(key)) return std::unexpected("'" + text::printable(line, 60) + "' is no line of a policy");
    if (key == "version") keep_first(lines.version, value);
    if (key == "mode") keep_first(lines.mode, value);
    if (key == "max_age") keep_first(lines.max_age, value);
    if (key == "mx") lines.mx.push_back(value);
  }
  return lines;
}

}  // namespace

std::string_view word(Mode mode) { return std::ranges::find(kModes, mode, &ModeRow::mode)->word; }

std::optional<Mode> read_mode(std::string_view word) {
  const auto found = std::ranges::find(kModes, word, &ModeRow::word);
  return found == kModes.end() ? std::nullopt : std::optional(found->mode);
}

std::optional<std::string> find_id(std::span<const std::string> texts) {
  constexpr std::string_view kVersion = "v=STSv1";
  std::optional<std::string> id;
  bool is_found = false;
  for (std::string_view record : texts) {
    if (!text::consume(record, kVersion)) continue;
    record = text::trim(record);
    if (!text::consume(record, ";")) continue;
    if (std::exchange(is_found, true)) return std::nullopt;
    id = read_fields(record);
  }
  return id;
}

std::expected<Policy, std::string> parse_policy(std::string_view file) {
  const auto lines = read_lines(file);
  if (!lines) return std::unexpected(lines.error());
  if (lines->version != "STSv1") return std::unexpected("no line 'version: STSv1'");
  const auto mode = lines->mode ? read_mode(*lines->mode) : std::nullopt;
  if (!mode) return std::unexpected("no mode; expected: enforce, testing or none");
  constexpr std::size_t kMostDigits = 10;
  const auto age = lines->max_age && lines->max_age->size() <= kMostDigits ? text::parse_number<std::uint64_t>(*lines->max_age) : std::nullopt;
  if (!age) return std::unexpected("no max_age; expected: a number of seconds");
  Policy policy{*mode, std::min(*age, Policy::kLongestSeconds), {}};
  for (const auto pattern : lines->mx) {
    if (!is_pattern(pattern)) return std::unexpected("mx: '" + text::printable(pattern, 60) + "'; expected: a domain, or *. and a domain");
    policy.mx.push_back(text::to_lower(pattern));
  }
  if (policy.mx.empty() && *mode != Mode::None) return std::unexpected("no mx");
  return policy;
}

bool matches(std::string_view pattern, std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (!text::consume(pattern, "*.")) return !pattern.empty() && text::equal_ignoring_case(pattern, host);
  const auto [label, rest] = text::split_once(host, '.');
  return !label.empty() && !pattern.empty() && text::equal_ignoring_case(pattern, rest);
}

bool Policy::takes(std::string_view host) const {
  return std::ranges::any_of(mx, [&](const std::string& pattern) { return matches(pattern, host); });
}

}  // namespace authn::sts
