// Whether an address that somebody else has named may be one of the Internet, and not of this host or a network around it.
#pragma once

#include "lib/net/socket.h"

namespace net {

// No loopback, private, link-local, unique-local, multicast or reserved one.
[[nodiscard]] bool is_public(const Address& address);

}  // namespace net
