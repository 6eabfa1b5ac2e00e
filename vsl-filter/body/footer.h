// A footer in a message (vsl.md 5.4, body::append_footer), where its readers see it: in each form of its text that a reader may
// be shown, in that text's charset and transfer encoding.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "lib/mail/message.h"
#include "vsl-filter/body/body_edit.h"

namespace rules {

struct Footer {
  std::string text;                 // UTF-8, lines end with LF or CRLF
  std::optional<std::string> html;  // for text/html; else `text`, escaped
};

// nullopt: the message is left alone, since it is signed or encrypted as a whole, is a report (RFC 6522), or has more parts than
// its index. A text that cannot take the footer gets it as a part of its own. Texts are decoded when they have no more than
// `limit` octets; larger ones take a footer only where nothing has to be decoded.
[[nodiscard]] std::optional<BodyEdit> footer_edit(const mail::Message& message, const Footer& footer, std::string_view line_end, std::size_t limit);

}  // namespace rules
