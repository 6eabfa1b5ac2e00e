// A header field as rules write it: checked, so that no value can begin a second field or end the header.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace rules {

// "Name: value" and a CRLF. The name is one of RFC 5322 section 2.2: printing US-ASCII without a colon. A value may be folded:
// LF or CRLF with a blank behind them. Any other CR or LF, and a line of blanks only, are Fault::Permanent, and the cause says
// so: a header injection. Lines of more than 998 octets (section 2.1.1) are folded where they have blanks.
[[nodiscard]] base::Result<std::string> field_text(std::string_view name, std::string_view value);
[[nodiscard]] base::Result<void> check_field_name(std::string_view name);

// What a field says, from behind its colon: without the line ends of its folding.
std::string unfolded(std::string_view body);
// The same without the blanks in front.
std::string field_value(std::string_view body);

}  // namespace rules
