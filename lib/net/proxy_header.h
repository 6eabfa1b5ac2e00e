// The header with which a proxy in front of us says who the client is: PROXY protocol, versions 1 and 2
// (haproxy.org/download/2.6/doc/proxy-protocol.txt). No I/O.
#pragma once

#include <string_view>

#include "lib/net/socket.h"

namespace net {

struct ProxyHeader {
  enum class Status { NeedMore, Read, Malformed };
  // Both empty: of the client nothing is known but that it came by the proxy (LOCAL, UNKNOWN, a Unix socket).
  Address client, server;

  // Read: eats the header from the front of `input`. NeedMore: call again with that and more.
  [[nodiscard]] Status read(std::string_view& input);
};

}  // namespace net
