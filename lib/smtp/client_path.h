// An address as it stands in MAIL and RCPT.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smtp {

// The mailbox to put between "<" and ">": a local-part that needs quotes and has none gets them, since qmail-queue(8) carries
// addresses without. nullopt: no quoting makes it an address (controls, an impossible domain), and no octet of it may go
// near a command line. A local-part without a domain ("postmaster") and the null reverse-path stay as they are.
std::optional<std::string> path_for_command(std::string_view address);

}  // namespace smtp
