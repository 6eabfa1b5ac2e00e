#include "lib/net/ucspi.h"

namespace net {

std::vector<std::string> ucspi_environment(const Address& remote, const Address& local, std::string_view local_host) {
  if (!remote.is_ip()) return {"PROTO=UNIX"};
  const std::string remote_ip = remote.ip();
  std::vector<std::string> environment = {
      remote_ip.find(':') == std::string::npos ? "PROTO=TCP" : "PROTO=TCP6",
      "TCPREMOTEIP=" + remote_ip,
      "TCPREMOTEPORT=" + std::to_string(remote.port()),
      "TCPLOCALIP=" + local.ip(),
      "TCPLOCALPORT=" + std::to_string(local.port()),
  };
  if (!local_host.empty()) environment.push_back("TCPLOCALHOST=" + std::string(local_host));
  return environment;
}

}  // namespace net
