#include "lib/net/public_address.h"

#include <algorithm>
#include <vector>

namespace net {

// Of the registries of RFC 6890 those that may lead to hosts.
bool is_public(const Address& address) {
  static const auto others = [] {
    std::vector<Network> networks;
    for (const auto* text : {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",  //
                             "::/96", "fc00::/7", "fe80::/9", "ff00::/8"})
      networks.push_back(*Network::parse(text));
    return networks;
  }();
  return address.is_ip() && std::ranges::none_of(others, [&](const Network& network) { return network.contains(address); });
}

}  // namespace net
