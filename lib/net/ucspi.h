// The environment of a session started by a launcher: UCSPI for TCP, as tcpserver sets it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "lib/net/socket.h"

namespace net {

// What a launcher owns: a program must not see those of another connection.
inline constexpr auto kUcspiVariables = std::to_array<std::string_view>({
    "PROTO", "TCPLOCALHOST", "TCPLOCALIP", "TCPLOCALPORT", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPREMOTEIP", "TCPREMOTEPORT",
});

// NAME=value for one connection; PROTO is TCP, TCP6 when the client's address is one of IPv6, or UNIX, which has no
// addresses. TCPLOCALHOST is set when `local_host` is not empty. TCPREMOTEHOST is not: nothing is looked up here.
[[nodiscard]] std::vector<std::string> ucspi_environment(const Address& remote, const Address& local, std::string_view local_host);

}  // namespace net
