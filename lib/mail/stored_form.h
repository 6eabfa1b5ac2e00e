// The octets of a message as a mailbox keeps them, or a program gets them: fields of the delivery in front, an older
// Return-Path gone, line ends as set. One pass over the message, nothing of it is held twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace mail {

enum class LineEnd : std::uint8_t { Lf, CrLf };

// Whether a line that would begin a message of an mbox gets a ">" in front, and one that has such a ">" another: mboxrd.
enum class FromLines : std::uint8_t { AsTheyAre, Quoted };

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
[[nodiscard]] base::Result<StoredSize> write_stored(int fd, std::string_view fields, const Segments& message, LineEnd line_end, FromLines from_lines = FromLines::AsTheyAre);

// "From me@example.org Sun Nov 22 13:30:00 2026\n", which begins each message of an mbox; of the time zone of this host.
[[nodiscard]] std::string mbox_from_line(std::string_view sender, base::WallTime now);

}  // namespace mail
