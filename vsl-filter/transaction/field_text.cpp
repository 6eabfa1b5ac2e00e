#include "vsl-filter/transaction/field_text.h"

#include <algorithm>

#include "lib/base/text.h"

namespace rules {
namespace {

using base::Fault;
using base::text::is_space;

constexpr std::size_t kMaxLineOctets = 998;  // RFC 5322 section 2.1.1, without CRLF

bool is_blank(std::string_view line) { return std::ranges::all_of(line, is_space); }

std::unexpected<base::Error> injection(std::string_view name, std::string_view why) {
  return base::fail(Fault::Permanent, "value of header field '" + std::string(name) + "': " + std::string(why));
}

// Appends `line`, folded while it is too long for one line. A fold in front of a blank changes nothing of what it says.
void append_line(std::string& out, std::string_view line, std::size_t octets_before) {
  while (octets_before + line.size() > kMaxLineOctets) {
    auto fold = line.find_last_of(" \t", kMaxLineOctets - octets_before);
    if (fold != std::string_view::npos && is_blank(line.substr(0, fold))) fold = std::string_view::npos;
    if (fold == std::string_view::npos || is_blank(line.substr(fold))) break;
    out.append(line.substr(0, fold)).append("\r\n");
    line.remove_prefix(fold);
    octets_before = 0;
  }
  out += line;
}

}  // namespace

base::Result<void> check_field_name(std::string_view name) {
  const bool is_name = !name.empty() && name.size() <= kMaxLineOctets - 2 && std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127 && c != ':'; });
  if (is_name) return {};
  return base::fail(Fault::Permanent, "'" + base::text::printable(name, 60) + "' cannot be the name of a header field");
}

base::Result<std::string> field_text(std::string_view name, std::string_view value) {
  if (const auto checked = check_field_name(name); !checked) return std::unexpected(checked.error());
  std::string text;
  text.reserve(name.size() + value.size() + 4);
  text.append(name).append(": ");
  for (bool is_first = true;; is_first = false) {
    const auto feed = value.find('\n');
    auto line = value.substr(0, feed);
    const bool is_last = feed == std::string_view::npos;
    if (!is_last && line.ends_with('\r')) line.remove_suffix(1);
    if (line.contains('\r')) return injection(name, "a CR alone");
    if (!is_first && (line.empty() || !is_space(line.front()))) return injection(name, "a line end that would begin another field");
    if (!is_first && is_blank(line)) return injection(name, "a line of blanks, which some readers take for the end of the header");
    append_line(text, line, is_first ? text.size() : 0);
    text += "\r\n";
    if (is_last) return text;
    value.remove_prefix(feed + 1);
  }
}

std::string unfolded(std::string_view body) {
  std::string text;
  text.resize_and_overwrite(body.size(), [body](char* out, std::size_t) {
    return std::ranges::copy_if(body, out, [](char c) { return c != '\r' && c != '\n'; }).out - out;
  });
  return text;
}

std::string field_value(std::string_view body) {
  std::string text = unfolded(body);
  text.erase(0, std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

}  // namespace rules
