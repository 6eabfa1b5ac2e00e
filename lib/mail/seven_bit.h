// A message with octets over 127 as one without, for hosts that do not offer 8BITMIME (RFC 6152 section 3).
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace mail {

// Bodies of parts that are 8bit or binary are encoded, text in quoted-printable, anything else in base64, and their headers say so. What was
// no MIME message becomes one, of unknown charset (RFC 1428 section 3). Octets over 127 in headers stay: no encoding of a body is theirs.
// An error says why it cannot be done without harm: what is signed or encrypted as it stands would not be any more.
[[nodiscard]] std::expected<std::string, std::string> to_seven_bit(std::string_view message);

}  // namespace mail
