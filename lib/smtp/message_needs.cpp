#include "lib/smtp/message_needs.h"


#include "lib/base/utf8.h"
#include "lib/smtp/line_scan.h"

namespace smtp {
namespace {

// What turning line ends into CRLF adds to a message that has others: an octet for each CR and LF that stands alone, and two
// for a last line without an end.
std::uint64_t octets_of_line_ends(std::string_view message) {
  std::uint64_t added = 0;
  char before = 0;
  for (const char c : message) {
    if (c == '\n' && before != '\r') ++added;
    if (c != '\n' && before == '\r') ++added;
    before = c;
  }
  if (before == '\r') return added + 1;
  return before == '\n' || message.empty() ? added : added + 2;
}

// All up to and with the first empty line; the whole when there is none.
std::string_view header_of(std::string_view message) {
  for (std::size_t begin = 0; begin < message.size();) {
    const auto end = message.find('\n', begin);
    if (end == std::string_view::npos) return message;
    const auto line = message.substr(begin, end - begin);
    if (line.empty() || line == "\r") return message.substr(0, end + 1);
    begin = end + 1;
  }
  return message;
}

}  // namespace

MessageNeeds scan_message(std::string_view message) {
  MessageNeeds needs;
  LineScan scan;
  needs.is_wire_ready = scan.plain_prefix(message) == message.size() && scan.is_line_start;
  needs.size_octets = message.size();
  if (!needs.is_wire_ready) needs.size_octets += octets_of_line_ends(message);
  needs.has_8bit = base::utf8::has_8bit(message);
  if (!needs.has_8bit) return needs;
  const auto header = header_of(message);
  needs.has_utf8_header = base::utf8::has_8bit(header) && base::utf8::is_valid(header);
  return needs;
}

}  // namespace smtp
