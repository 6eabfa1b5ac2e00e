#include "lib/mail/line_ends.h"

#include <algorithm>

namespace mail {

using base::Result;

bool needs_crlf(std::string_view message, LineEnds rule) {
  for (auto at = message.find('\n'); at != std::string_view::npos; at = message.find('\n', at + 1)) {
    const bool is_bare = at == 0 || message[at - 1] != '\r';
    if (is_bare || rule == LineEnds::AsFirstLine) return is_bare;
  }
  // No line end at all: the only line has none. What ends with CRLF needs nothing.
  return !message.empty() && message.back() != '\n';
}

Result<void> append_with_crlf(base::BlobWriter& out, std::string_view text, char& last) {
  constexpr std::size_t kPieceOctets = 65536;
  std::string piece;
  while (!text.empty()) {
    const auto taken = text.substr(0, kPieceOctets);
    text.remove_prefix(taken.size());
    piece.clear();
    for (const char c : taken) {
      if (c == '\n' && last != '\r') piece += '\r';
      piece += c;
      last = c;
    }
    if (const auto appended = out.append(piece); !appended) return appended;
  }
  return {};
}

Result<base::Blob> with_crlf(std::string_view message, const base::BlobWriter::Limits& limits) {
  base::BlobWriter out(limits);
  char last = '\n';
  if (const auto appended = append_with_crlf(out, message, last); !appended) return std::unexpected(appended.error());
  if (last != '\n')
    if (const auto appended = out.append("\r\n"); !appended) return std::unexpected(appended.error());
  return out.finish();
}

}  // namespace mail
