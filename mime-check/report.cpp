#include "mime-check/report.h"

#include <algorithm>
#include <array>

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace mime_check {
namespace {

constexpr std::string_view kBold = "\x1b[1m", kCaret = "\x1b[1;32m", kPlain = "\x1b[0m";
constexpr std::string_view colour_of(Severity severity) {
  constexpr auto kColours = std::to_array<std::string_view>({"\x1b[1;36m", "\x1b[1;35m", "\x1b[1;31m"});
  return kColours[static_cast<std::size_t>(severity)];
}

// "RFC 5322 2.1.1" as people write it.
std::string with_sign(std::string_view section, std::string_view sign) {
  const auto blank = section.rfind(' ');
  if (blank == std::string_view::npos) return std::string(section);
  return std::string(section.substr(0, blank + 1)) + std::string(sign) + std::string(section.substr(blank + 1));
}

std::string text_of(const Finding& finding) {
  const auto& row = row_of(finding.id);
  return finding.detail.empty() ? std::string(row.text) : std::string(row.text) + ": " + finding.detail;
}

std::string_view line_around(std::string_view message, std::size_t offset, std::size_t& start) {
  const auto before = offset == 0 ? std::string_view::npos : message.rfind('\n', offset - 1);
  start = before == std::string_view::npos ? 0 : before + 1;
  const auto end = message.find('\n', offset);
  auto line = message.substr(start, end == std::string_view::npos ? end : end - start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct Range {
  char32_t first, last;
};
bool is_in(auto const& ranges, char32_t code_point) {
  return std::ranges::any_of(ranges, [&](const Range& range) { return code_point >= range.first && code_point <= range.last; });
}
// C1 controls, soft hyphen, joiners and marks of direction, line separators, byte order mark, tags: what nobody sees or what
// turns text around.
constexpr auto kInvisible = std::to_array<Range>({{0x80, 0x9F}, {0xAD, 0xAD}, {0x61C, 0x61C}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}});
// Two columns wide on a terminal (Unicode annex 11, the large blocks), and none.
constexpr auto kWide = std::to_array<Range>({{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}});
constexpr auto kCombining = std::to_array<Range>({{0x300, 0x36F}, {0x483, 0x489}, {0x591, 0x5BD}, {0x610, 0x61A}, {0x64B, 0x65F}, {0x20D0, 0x20F0}, {0xFE20, 0xFE2F}});

char32_t code_point_of(std::string_view sequence) {
  constexpr std::array<unsigned, 5> kFirstBits = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code_point = static_cast<unsigned char>(sequence[0]) & kFirstBits[sequence.size()];
  for (const char c : sequence.substr(1)) code_point = code_point << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  return code_point;
}

// One character of `text`, eaten and printed; returns its columns.
std::size_t print_character(std::string& out, std::string_view& text) {
  const auto octets = base::utf8::sequence_octets(text);
  const auto character = text.substr(0, std::max<std::size_t>(octets, 1));
  text.remove_prefix(character.size());
  if (character == "\t") {
    out += ' ';
    return 1;
  }
  if (octets > 1) {
    const auto code_point = code_point_of(character);
    if (!is_in(kInvisible, code_point)) {
      out += character;
      return is_in(kWide, code_point) ? 2 : is_in(kCombining, code_point) ? 0 : 1;
    }
  }
  const auto printed = base::text::printable(character);
  out += printed;
  return printed.size();
}

void append_finding(std::string& out, std::string_view file, std::string_view message, const Finding& finding, bool has_colour) {
  const auto& row = row_of(finding.id);
  const auto paint = [&](std::string_view colour) { out += has_colour ? colour : std::string_view(); };
  paint(kBold);
  out += base::text::printable(file) + ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column) + ": ";
  paint(colour_of(row.severity));
  out += std::string(name_of(row.severity)) + ": ";
  paint(kPlain);
  paint(kBold);
  out += text_of(finding);
  paint(kPlain);
  if (!row.section.empty()) out += " [" + with_sign(row.section, "\u00a7") + "]";
  out += " (" + std::string(row.name) + ")\n";

  std::size_t start = 0;
  const auto line = line_around(message, finding.offset, start);
  const auto printed = print_line(line, finding.offset - start, finding.length);
  const auto number = std::to_string(finding.line);
  const std::string margin(std::max<std::size_t>(5, number.size()), ' ');
  out += margin.substr(number.size()) + number + " | " + printed.text + "\n";
  out += margin + " | " + std::string(printed.mark, ' ');
  paint(kCaret);
  out += "^" + std::string(printed.length - 1, '~');
  paint(kPlain);
  out += "\n";
}

std::string counted(std::size_t count, std::string_view noun) { return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s"); }

}  // namespace

PrintedLine print_line(std::string_view line, std::size_t at, std::size_t length) {
  constexpr std::size_t kBefore = 60, kAfter = 60;  // octets around the mark
  PrintedLine printed;
  at = std::min(at, line.size());
  length = std::max({length, base::utf8::sequence_octets(line.substr(at)), std::size_t{1}});
  std::size_t from = at > kBefore + 10 ? at - kBefore : 0;
  while (from > 0 && (static_cast<unsigned char>(line[from]) & 0xC0U) == 0x80U) --from;  // not inside of a character
  const bool is_cut = at + kAfter + 10 < line.size();
  const auto end = is_cut ? at + kAfter : line.size();
  if (from > 0) {
    printed.text = "...";
    printed.mark = 3;
  }
  auto before = line.substr(from, at - from);
  while (!before.empty()) printed.mark += print_character(printed.text, before);
  auto marked = line.substr(at, std::min(length, end - at));
  printed.length = 0;
  while (!marked.empty()) printed.length += print_character(printed.text, marked);
  printed.length = std::max<std::size_t>(printed.length, 1);
  auto after = line.substr(std::min(at + length, end), end - std::min(at + length, end));
  while (!after.empty()) (void)print_character(printed.text, after);
  if (is_cut) printed.text += "...";
  return printed;
}

std::string counts_text(std::size_t errors, std::size_t warnings, std::size_t notes) {
  return counted(errors, "error") + ", " + counted(warnings, "warning") + ", " + counted(notes, "note");
}

std::string in_short(const Finding& finding) {
  const auto& row = row_of(finding.id);
  auto text = "line " + std::to_string(finding.line) + ": " + base::text::printable(text_of(finding));
  if (!row.section.empty()) text += " (" + with_sign(row.section, "section ") + ")";
  return text;
}

void append_text(std::string& out, std::string_view file, std::string_view message, const Findings& findings, const ReportStyle& style) {
  for (const auto& finding : findings.kept())
    if (row_of(finding.id).severity >= style.least) append_finding(out, file, message, finding, style.has_colour);
  // What was not kept, by kind.
  for (const auto& row : kRows) {
    if (row.severity < style.least) continue;
    const auto kept = static_cast<std::size_t>(std::ranges::count(findings.kept(), row.id, &Finding::id));
    const auto dropped = findings.count(row.id) - kept;
    if (dropped > 0) out += base::text::printable(file) + ": " + std::string(name_of(row.severity)) + ": and " + std::to_string(dropped) + " more like it (" + std::string(row.name) + ")\n";
  }
}

void append_json(std::string& out, std::string_view file, const Findings& findings, const ReportStyle& style) {
  using base::json::append_member;
  const auto number = [](std::size_t value) { return static_cast<long long>(value); };
  for (const auto& finding : findings.kept()) {
    const auto& row = row_of(finding.id);
    if (row.severity < style.least) continue;
    std::string object = "{";
    append_member(object, "file", file);
    append_member(object, "line", number(finding.line));
    append_member(object, "column", number(finding.column));
    append_member(object, "offset", number(finding.offset));
    append_member(object, "length", number(finding.length));
    append_member(object, "severity", name_of(row.severity));
    append_member(object, "id", row.name);
    append_member(object, "text", row.text);
    append_member(object, "detail", finding.detail);
    append_member(object, "section", row.section);
    out += object + "}\n";
  }
  std::string object = "{";
  append_member(object, "file", file);
  append_member(object, "errors", number(findings.count(Severity::Error)));
  append_member(object, "warnings", number(findings.count(Severity::Warning)));
  append_member(object, "notes", number(findings.count(Severity::Note)));
  out += object + "}\n";
}

void append_table(std::string& out, bool as_json) {
  const auto pad = [](std::string_view text, std::size_t width) { return std::string(text) + std::string(width - std::min(width, text.size()) + 1, ' '); };
  for (const auto& row : kRows) {
    if (!as_json) {
      out += pad(name_of(row.severity), 8) + pad(row.name, 23) + pad(row.section, 15) + std::string(row.text) + "\n";
      continue;
    }
    std::string object = "{";
    base::json::append_member(object, "id", row.name);
    base::json::append_member(object, "severity", name_of(row.severity));
    base::json::append_member(object, "section", row.section);
    base::json::append_member(object, "text", row.text);
    out += object + "}\n";
  }
}

}  // namespace mime_check
