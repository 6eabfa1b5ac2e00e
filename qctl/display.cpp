#include "qctl/display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace qctl {
namespace {

struct Range {
  char32_t first, last;
};
// Format characters of Unicode that change how their neighbours are shown, or show nothing themselves.
constexpr auto kUnsafe = std::to_array<Range>({
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD}, {0x061C, 0x061C}, {0x115F, 0x1160}, {0x180B, 0x180F},
    {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF}, {0xE000, 0xF8FF},
});
// Two columns wide (UAX 11, W and F, by whole blocks) and none (the combining marks of the common blocks).
constexpr auto kWide = std::to_array<Range>({
    {0x1100, 0x115E}, {0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xA000, 0xA4CF},
    {0xA960, 0xA97F}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE30, 0xFE6F}, {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
});
constexpr auto kCombining = std::to_array<Range>({
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F}, {0x0900, 0x0902},
    {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0x3099, 0x309A}, {0xFE20, 0xFE2F},
});

bool is_in(const auto& ranges, char32_t code_point) {
  return std::ranges::any_of(ranges, [&](const Range& range) { return code_point >= range.first && code_point <= range.last; });
}

// The code point of a well-formed sequence.
char32_t decode(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) return first;
  char32_t code_point = first & (0x7FU >> sequence.size());
  for (const char c : sequence.substr(1)) code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  return code_point;
}

void append_escaped(std::string& out, std::string_view octets, bool well_formed) {
  char text[16];
  if (well_formed && octets.size() > 1) {
    std::snprintf(text, sizeof text, "\\u{%X}", static_cast<unsigned>(decode(octets)));
    out += text;
    return;
  }
  for (const char c : octets) {
    std::snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned char>(c));
    out += text;
  }
}

// Appends the first character of `text`, made safe, and eats it.
void append_character(std::string& out, std::string_view& text, bool utf8) {
  const std::size_t well_formed = base::utf8::sequence_octets(text);
  const auto sequence = text.substr(0, std::max<std::size_t>(well_formed, 1));
  text.remove_prefix(sequence.size());
  const bool shown = well_formed != 0 && (utf8 || well_formed == 1) && !is_in(kUnsafe, decode(sequence));
  if (shown) {
    out += sequence;
  } else {
    append_escaped(out, sequence, well_formed != 0);
  }
}

std::size_t columns_of(char32_t code_point) {
  if (code_point < 0x300) return 1;
  return is_in(kCombining, code_point) ? 0 : is_in(kWide, code_point) ? 2 : 1;
}

// Eats the first character of printable text.
std::size_t eat_character(std::string_view& text) {
  const auto sequence = text.substr(0, std::max<std::size_t>(base::utf8::sequence_octets(text), 1));
  text.remove_prefix(sequence.size());
  return columns_of(decode(sequence));
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string lower = base::text::to_lower(value);
    return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
  }
  return false;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

std::size_t terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  return columns == nullptr ? 80 : base::text::parse_number<std::size_t>(columns).value_or(80);
}

}  // namespace

std::string printable_text(std::string_view octets, bool utf8) {
  std::string text;
  while (!octets.empty()) append_character(text, octets, utf8);
  return text;
}

std::string printable_lines(std::string_view octets, bool utf8) {
  std::string text;
  while (!octets.empty()) {
    if (octets.starts_with("\r\n")) octets.remove_prefix(1);
    if (octets.front() == '\n' || octets.front() == '\t') {
      text += octets.front();
      octets.remove_prefix(1);
    } else {
      append_character(text, octets, utf8);
    }
  }
  return text;
}

std::size_t display_columns(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) columns += eat_character(text);
  return columns;
}

std::string fitted(std::string_view text, std::size_t width, bool utf8) {
  if (display_columns(text) <= width) return std::string(text);
  if (width == 0) return {};
  auto left = text;
  std::size_t columns = 0, kept = 0;
  while (!left.empty()) {
    columns += eat_character(left);
    if (columns > width - 1) break;
    kept = text.size() - left.size();
  }
  return std::string(text.substr(0, kept)) + (utf8 ? "\u2026" : "~");
}

std::string padded(std::string_view text, std::size_t width, bool utf8) {
  std::string result = fitted(text, width, utf8);
  const std::size_t columns = display_columns(result);
  return result.append(width > columns ? width - columns : 0, ' ');
}

std::string human_octets(std::uint64_t octets) {
  constexpr std::string_view kUnits = "KMGTPE";
  if (octets < 1024) return std::to_string(octets);
  auto value = static_cast<double>(octets);
  std::size_t unit = 0;
  for (value /= 1024; value >= 1023.5 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, value < 9.95 ? "%.1f%c" : "%.0f%c", value, kUnits[unit]);
  return text;
}

std::string human_duration(std::chrono::seconds duration) {
  const long long seconds = std::max<long long>(duration.count(), 0);
  const long long minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  char text[48];
  if (seconds < 60) {
    std::snprintf(text, sizeof text, "%llds", seconds);
  } else if (minutes < 60) {
    std::snprintf(text, sizeof text, "%lldm", minutes);
  } else if (hours < 24) {
    std::snprintf(text, sizeof text, "%lldh%02lldm", hours, minutes % 60);
  } else if (days < 100) {
    std::snprintf(text, sizeof text, "%lldd%02lldh", days, hours % 24);
  } else {
    std::snprintf(text, sizeof text, "%lldd", days);
  }
  return text;
}

Screen screen_of(int fd) {
  Screen screen;
  screen.is_terminal = ::isatty(fd) == 1;
  if (!screen.is_terminal) return screen;
  const char* term = std::getenv("TERM");
  screen.colours = !is_set("NO_COLOR") && term != nullptr && std::string_view(term) != "dumb";
  screen.utf8 = locale_is_utf8();
  screen.columns = terminal_columns(fd);
  return screen;
}

}  // namespace qctl
