// What was found, for people as a compiler says it, or as JSON, one object a line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lib/lint/findings.h"

namespace mime_check {

using namespace lint;  // this program is its face

struct ReportStyle {
  Severity least = Severity::Note;
  bool has_colour = false;
};

// FILE:LINE:COLUMN: SEVERITY: TEXT: DETAIL [RFC 5322 §2.1.1] (NAME), then the line and a caret below the place.
void append_text(std::string& out, std::string_view file, std::string_view message, const Findings& findings, const ReportStyle& style);
// {"file":...,"line":...,"column":...,"offset":...,"severity":...,"id":...,"text":...,"detail":...,"section":...}, and at the end
// {"file":...,"errors":...,"warnings":...,"notes":...}.
void append_json(std::string& out, std::string_view file, const Findings& findings, const ReportStyle& style);

// "2 errors, 1 warning, 0 notes"
std::string counts_text(std::size_t errors, std::size_t warnings, std::size_t notes);

// One line in ASCII, for replies, logs and fields: `line 3: octet over 127 where 7bit is declared (RFC 2045 section 2.7)`.
std::string in_short(const Finding& finding);

// One line of a message made printable: controls, octets that are no UTF-8 and what would change the order or colour of a
// terminal's text as escapes. `at` octets in begins a mark of `length` octets; a long line is cut around it.
struct PrintedLine {
  std::string text;
  std::size_t mark = 0;    // columns of a terminal in front of the mark
  std::size_t length = 1;  // columns of it
};
PrintedLine print_line(std::string_view line, std::size_t at, std::size_t length);

// The table of diagnostics, for --list.
void append_table(std::string& out, bool as_json);

}  // namespace mime_check
