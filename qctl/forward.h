// A copy of a message as an attachment of a new one, for whoever shall look at it.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/queue/view.h"

namespace qctl {

struct Forwarded {
  queue::Item item;
  base::Blob octets;
};

// A message from the null reverse-path to `address` that says where `seen` was found and has it whole, unchanged, as
// message/rfc822 (RFC 2046 section 5.2.1; message/global, RFC 6532, if its header is UTF-8): mail programs and filters do not take
// it for the message itself, and the one who looks sees envelope and reasons. `server`: the domain of its From.
[[nodiscard]] base::Result<Forwarded> forwarded(const queue::Seen& seen, const std::string& address, const std::string& server, base::WallTime now);

}  // namespace qctl
