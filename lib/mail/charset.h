// Character sets to UTF-8, for encoded words, parameters and texts, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mail {

// nullopt: nobody here knows the charset. Octets that mean nothing in it become U+FFFD. Names are IANA's, in any case.
// UTF-8, US-ASCII and ISO-8859-1 are done here, all others by the iconv(3) of the system.
std::optional<std::string> to_utf8(std::string_view octets, std::string_view charset);

// The other way. nullopt: the charset is unknown, or lacks a character of the text.
std::optional<std::string> from_utf8(std::string_view utf8, std::string_view charset);

// `text` with every octet that is no part of a UTF-8 sequence as U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace mail
