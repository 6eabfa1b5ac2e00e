// Addresses as rules give them.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace rules {

// Fault::Permanent "'x' is not a valid address: WHY" unless it is a mailbox of RFC 5321 or RFC 6531.
[[nodiscard]] base::Result<void> check_address(std::string_view address);
// The same text for the same mailbox: what is compared. Domains without regard to case (vsl.md D-29).
std::string address_key(std::string_view address);

}  // namespace rules
