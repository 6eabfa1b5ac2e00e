// Base64 as RFC 4648 section 4 writes it, strictly: no line ends, no blanks, the padding that belongs there, no bits left over. What
// a message holds is read with more patience (lib/mail/transfer_encoding.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace base {

std::string to_base64(std::string_view octets);
std::optional<std::string> from_base64(std::string_view text);  // nullopt: not the one way to write some octets

}  // namespace base
