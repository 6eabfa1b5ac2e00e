// UTF-8 as RFC 3629 section 4 writes it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace base::utf8 {

// Octets of the well-formed sequence at the front of `text`, 0 if there is none.
std::size_t sequence_octets(std::string_view text);

bool is_valid(std::string_view text);

// Whether some octet is over 127.
bool has_8bit(std::string_view octets);

// The sequence of a code point; U+FFFD for one that UTF-8 cannot say.
void append(std::string& out, char32_t code_point);

}  // namespace base::utf8
