// The octets of a message as a Maildir keeps them: fields of the delivery in front, an older Return-Path gone, line ends
// as set. One pass over the message, nothing of it is held twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace maildir {

enum class LineEnd : std::uint8_t { Lf, CrLf };

struct StoredSize {
  std::uint64_t octets = 0;
  std::uint64_t octets_with_crlf = 0;  // were every line end CR LF: RFC822.SIZE of IMAP
};

// "Return-Path: <a@b>" and "Delivered-To: c@d", each where given (RFC 5321 section 4.4). With LF; write_stored() turns it.
std::string delivery_fields(const std::optional<std::string>& sender, std::string_view recipient);

// A message cut where fields were taken out: views into it, in order.
using Segments = std::vector<std::string_view>;
// All of it, without the Return-Path fields of its header section.
Segments without_return_path(std::string_view message);

// Appends fields and message to the file `fd` with these line ends. LF: CR LF becomes LF, a CR alone stays. CRLF: an LF
// that has no CR in front gets one.
[[nodiscard]] base::Result<StoredSize> write_stored(int fd, std::string_view fields, const Segments& message, LineEnd line_end);

}  // namespace maildir
