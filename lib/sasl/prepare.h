// SASLprep (RFC 4013): names and passwords that people see as the same are the same octets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sasl {

// UTF-8 in the normal form KC; blanks of all kinds are ' ', soft hyphens and the like are gone. nullopt: empty, not UTF-8, or with
// control characters, surrogates, private use or other characters that section 2.3 prohibits. The rules for text from right to left
// (section 2.4) and for unassigned code points (2.5) are not applied: they would refuse names that are in use.
std::optional<std::string> prepared(std::string_view text);

}  // namespace sasl
