// Finds, in blocks of 64 octets, the few places of SMTP text that need care. What lies between them, nearly all of a
// message, is passed on without being looked at octet by octet.
#pragma once

#include <cstddef>
#include <limits>
#include <string_view>

namespace smtp {

struct LineScan {
  // Whether a dot at the begin of a line needs care: in DATA, not in the chunks of BDAT.
  bool minds_dots = true;
  // In and out: whether the octet at the front begins a line, that is, follows CR LF or is the first of all.
  bool is_line_start = true;
  // In and out: octets of the line in progress before the front.
  std::size_t line_octets = 0;
  // Longest line seen, CR LF counted, among those longer than kBlock; for a limit on lines (RFC 5321 section 4.5.3.1.6).
  std::size_t longest_line_octets = 0;

  static constexpr std::size_t kBlock = 64;

  // Length of the part at the front that is plain: every CR is followed by LF and every LF follows a CR, and no line
  // begins with a dot (if minds_dots). Behind it stands a dot at the begin of a line, an LF alone, or a CR that is alone or the last octet.
  std::size_t plain_prefix(std::string_view octets);

  // For an octet that was taken without plain_prefix(). The dot of transparency is counted with its line.
  void count_octet(bool ends_line) {
    if (++line_octets > longest_line_octets) longest_line_octets = line_octets;
    if (ends_line) line_octets = 0;
  }
};

}  // namespace smtp
