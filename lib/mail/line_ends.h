// Line ends on their way into the spool, which holds messages as they are on the wire.
#pragma once

#include <string_view>

#include "lib/base/blob.h"
#include "lib/base/result.h"

namespace mail {

enum class LineEnds {
  // The first line end decides: after a CRLF the message is on the wire's side and stays as it is, octet by octet.
  // After a bare LF it is text of this system, as qmail's programs hand it on, and each bare LF becomes CRLF.
  AsFirstLine,
  // Each bare LF becomes CRLF: what a person or a script writes, whatever it begins with.
  All,
};

// Whether the octets need to be changed at all.
bool needs_crlf(std::string_view message, LineEnds rule);
// Appends `text` with CRLF for each bare LF; `last` is the octet before it and becomes its last one.
[[nodiscard]] base::Result<void> append_with_crlf(base::BlobWriter& out, std::string_view text, char& last);
// The message with CRLF at the end of each line, the last one too.
[[nodiscard]] base::Result<base::Blob> with_crlf(std::string_view message, const base::BlobWriter::Limits& limits);

}  // namespace mail
