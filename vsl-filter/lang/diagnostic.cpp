#include "vsl-filter/lang/diagnostic.h"

#include <algorithm>

#include "lib/base/json_text.h"
#include "lib/base/utf8.h"

namespace vsl {
namespace {

constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kRed = "\033[1;31m";
constexpr std::string_view kMagenta = "\033[1;35m";
constexpr std::string_view kCyan = "\033[1;36m";
constexpr std::string_view kPlain = "\033[0m";
// Of a line that is longer than this only the part around the place is shown.
constexpr std::uint32_t kMostColumns = 160;

struct SeverityRow {
  std::string_view word;
  std::string_view colour;
};
constexpr SeverityRow row_of(Severity severity) {
  switch (severity) {
    case Severity::Error: return {"error", kRed};
    case Severity::Warning: return {"warning", kMagenta};
    case Severity::Note: break;
  }
  return {"note", kCyan};
}

class Painter {
 public:
  Painter(std::string& out, bool with_colour) : out_(out), with_colour_(with_colour) {}
  void paint(std::string_view colour, std::string_view text) {
    if (with_colour_) out_ += colour;
    out_ += text;
    if (with_colour_) out_ += kPlain;
  }

 private:
  std::string& out_;
  bool with_colour_;
};

// Control octets would let a script write to the terminal of who reads the error; a tab is kept for the alignment of the caret.
void append_visible(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto octets = std::max<std::size_t>(base::utf8::sequence_octets(text), 1);
    const auto c = static_cast<unsigned char>(text.front());
    if (octets == 1 && (c < 0x20 || c >= 0x7f)) {
      out += c == '\t' ? "\t" : "\xEF\xBF\xBD";
    } else {
      out += text.substr(0, octets);
    }
    text.remove_prefix(octets);
  }
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// "   3 | text" and below it the caret.
void append_excerpt(std::string& out, Span span, const Source& source, SeverityRow row, Painter& painter) {
  const Location at = source.locate(span.begin);
  std::string_view line = source.line(at.line);
  std::uint32_t begin = span.begin - source.line_start(at.line);
  begin = std::min<std::uint32_t>(begin, static_cast<std::uint32_t>(line.size()));
  const auto length = std::min<std::size_t>(span.end > span.begin ? span.end - span.begin : 0, line.size() - begin);
  std::string_view before = line.substr(0, begin);
  std::string_view marked = line.substr(begin, length);
  std::string_view after = line.substr(begin + length);
  const bool is_cut = before.size() > kMostColumns;
  const auto whole_octets = [](std::string_view text, std::size_t from) {  // not inside a code point
    while (from < text.size() && (text[from] & 0xC0) == 0x80) ++from;
    return from;
  };
  if (is_cut) before.remove_prefix(whole_octets(before, before.size() - kMostColumns / 2));
  if (marked.size() > kMostColumns) marked = marked.substr(0, whole_octets(marked, kMostColumns));
  if (after.size() > kMostColumns) after = after.substr(0, whole_octets(after, kMostColumns / 2));

  std::string number = std::to_string(at.line);
  number.insert(0, number.size() < 4 ? 4 - number.size() : 0, ' ');
  out += number + " | " + (is_cut ? "..." : "");
  append_visible(out, before);
  append_visible(out, marked);
  append_visible(out, after);
  out += '\n' + std::string(number.size(), ' ') + " | " + (is_cut ? "   " : "");
  for (std::string_view rest = before; !rest.empty();) {
    out += rest.front() == '\t' ? '\t' : ' ';
    rest.remove_prefix(std::max<std::size_t>(base::utf8::sequence_octets(rest), 1));
  }
  const std::size_t wide = code_points(marked);
  painter.paint(row.colour, "^" + std::string(wide > 1 ? wide - 1 : 0, '~'));
  out += '\n';
}

void append_place(std::string& out, Span span, const Sources& sources) {
  const Location at = sources.locate(span);
  append_visible(out, sources.at(span.source).name());
  out += ':' + std::to_string(at.line) + ':' + std::to_string(at.column) + ": ";
}

void append_message(std::string& out, Span span, Severity severity, std::string_view message, const Sources& sources, bool with_colour) {
  Painter painter(out, with_colour);
  const bool has_place = sources.has(span.source);
  if (has_place) append_place(out, span, sources);
  const auto row = row_of(severity);
  painter.paint(row.colour, std::string(row.word) + ":");
  out += ' ';
  if (with_colour) out += kBold;
  append_visible(out, message);
  if (with_colour) out += kPlain;
  out += '\n';
  if (has_place) append_excerpt(out, span, sources.at(span.source), row, painter);
}

void append_json_place(std::string& out, Span span, const Sources& sources) {
  if (!sources.has(span.source)) return;
  const Source& source = sources.at(span.source);
  const Location begin = source.locate(span.begin);
  const Location end = source.locate(span.end);
  base::json::append_member(out, "file", source.name());
  base::json::append_member(out, "line", static_cast<long long>(begin.line));
  base::json::append_member(out, "column", static_cast<long long>(begin.column));
  base::json::append_member(out, "end_line", static_cast<long long>(end.line));
  base::json::append_member(out, "end_column", static_cast<long long>(end.column));
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace

void Diagnostics::sort() {
  std::ranges::stable_sort(all_, [](const Diagnostic& left, const Diagnostic& right) {
    return std::pair(left.span.source, left.span.begin) < std::pair(right.span.source, right.span.begin);
  });
}

Diagnostic& Diagnostics::add(Severity severity, Span span, std::string message) {
  ++(severity == Severity::Error ? errors_ : warnings_);
  Diagnostic made{severity, span, std::move(message), {}, {}};
  // A warning does not take the place of an error that comes later.
  if (all_.size() >= kMostKept && severity == Severity::Error) {
    const auto last_warning = std::find_if(all_.rbegin(), all_.rend(), [](const Diagnostic& d) { return d.severity == Severity::Warning; });
    if (last_warning != all_.rend()) return *last_warning = std::move(made);
  }
  if (all_.size() >= kMostKept) return dropped_ = std::move(made);
  all_.push_back(std::move(made));
  return all_.back();
}

std::string render(const Diagnostic& diagnostic, const Sources& sources, bool with_colour) {
  std::string out;
  append_message(out, diagnostic.span, diagnostic.severity, diagnostic.message, sources, with_colour);
  if (!diagnostic.help.empty()) {
    Painter painter(out, with_colour);
    out += "     = ";
    painter.paint(kCyan, "help:");
    out += ' ';
    append_visible(out, diagnostic.help);
    out += '\n';
  }
  for (const Note& note : diagnostic.notes) append_message(out, note.span, Severity::Note, note.message, sources, with_colour);
  return out;
}

std::string render(const Diagnostics& diagnostics, const Sources& sources, bool with_colour) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics.all()) out += render(diagnostic, sources, with_colour);
  if (diagnostics.all().empty()) return out;
  if (diagnostics.errors() > 0) out += counted(diagnostics.errors(), "error");
  if (diagnostics.warnings() > 0) out += (diagnostics.errors() > 0 ? ", " : "") + counted(diagnostics.warnings(), "warning");
  const std::size_t dropped = diagnostics.errors() + diagnostics.warnings() - diagnostics.all().size();
  if (dropped > 0) out += " (" + std::to_string(dropped) + " not shown)";
  return out += '\n';
}

std::string render_json(const Diagnostic& diagnostic, const Sources& sources) {
  std::string out = "{";
  base::json::append_member(out, "severity", row_of(diagnostic.severity).word);
  append_json_place(out, diagnostic.span, sources);
  base::json::append_member(out, "message", diagnostic.message);
  if (!diagnostic.help.empty()) base::json::append_member(out, "help", diagnostic.help);
  if (!diagnostic.notes.empty()) {
    base::json::append_name(out, "notes");
    out += '[';
    for (const Note& note : diagnostic.notes) {
      if (!out.ends_with('[')) out += ',';
      out += '{';
      append_json_place(out, note.span, sources);
      base::json::append_member(out, "message", note.message);
      out += '}';
    }
    out += ']';
  }
  return out += '}';
}

}  // namespace vsl
