// The envelope on descriptor 1: F reverse-path NUL, T recipient NUL for each, NUL. qmail-queue(8), DESIGN.md 2.1.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/mail/envelope.h"

namespace chain {

[[nodiscard]] std::string to_octets(const mail::Envelope& envelope);
// Fault::Permanent names what is wrong. Octets behind the last NUL are an error too.
[[nodiscard]] base::Result<mail::Envelope> parse_envelope(std::string_view octets);

}  // namespace chain
