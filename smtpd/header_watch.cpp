#include "smtpd/header_watch.h"

#include <algorithm>

#include "lib/base/text.h"

namespace smtpd {

namespace text = base::text;

// By its first octets: field-name *WSP ":" (RFC 5322 section 4.5), a line that goes on with a field, an empty one, or none of these.
HeaderWatch::Line HeaderWatch::look(std::string_view line) {
  if (line.empty() || line == "\r") return Line::Unknown;
  if (line.starts_with('\n') || line.starts_with("\r\n")) return Line::Empty;
  if (line.front() == ' ' || line.front() == '\t') return has_field_ ? Line::OfField : Line::Other;
  const auto is_of_name = [](char c) { return c > ' ' && c < 0x7f && c != ':'; };
  const auto name = line.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(line, is_of_name) - line.begin()));
  const auto behind = line.find_first_not_of(" \t", name.size());
  if (name.empty() || name.size() > kMaxNameOctets) return Line::Other;
  if (behind == std::string_view::npos) return line.size() > kMaxNameOctets ? Line::Other : Line::Unknown;
  if (line[behind] != ':') return Line::Other;
  note(name);
  return Line::OfField;
}

void HeaderWatch::note(std::string_view name) {
  has_field_ = true;
  has_date_ = has_date_ || text::equal_ignoring_case(name, "Date");
  has_message_id_ = has_message_id_ || text::equal_ignoring_case(name, "Message-ID");
}

}  // namespace smtpd
