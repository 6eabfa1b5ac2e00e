// What a message asks of the SMTP server that takes it, found by looking once at all its octets.
#pragma once

#include <cstdint>
#include <string_view>

namespace smtp {

struct MessageNeeds {
  // RFC 1870 section 5: with CRLF as every line end, before dots are doubled, without the final dot.
  std::uint64_t size_octets = 0;
  bool has_8bit = false;  // octets over 127 anywhere: 8BITMIME, RFC 6152
  // The header has octets over 127 and is UTF-8: SMTPUTF8, RFC 6531 section 3.6. A header of any other 8-bit text is an
  // old mistake that no extension covers; it only counts as 8-bit. Headers of parts are not looked at.
  bool has_utf8_header = false;
  // Can be sent between 354 and the final dot as it is: every line ends with CRLF, the last one too, none begins with a
  // dot, and no CR or LF stands alone.
  bool is_wire_ready = true;
};

MessageNeeds scan_message(std::string_view message);

}  // namespace smtp
