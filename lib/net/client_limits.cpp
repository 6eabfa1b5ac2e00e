#include "lib/net/client_limits.h"

#include <netinet/in.h>

#include <algorithm>
#include <cassert>

namespace net {

std::string ClientLimits::client_of(const Address& address) const {
  if (!address.is_ip()) return {};
  if (address.system()->sa_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in*>(address.system())->sin_addr;
    return {reinterpret_cast<const char*>(&v4), sizeof v4};
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6*>(address.system())->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return {reinterpret_cast<const char*>(&v6.s6_addr[12]), 4};
  std::string network(reinterpret_cast<const char*>(&v6), sizeof v6);
  const unsigned bits = std::min(limits_.ipv6_bits, 128U);
  for (unsigned octet = 0; octet < network.size(); ++octet) {
    const unsigned kept = bits > octet * 8 ? std::min(bits - octet * 8, 8U) : 0;
    network[octet] = static_cast<char>(static_cast<unsigned char>(network[octet]) & static_cast<unsigned char>(0xFFU << (8 - kept)));
  }
  return network;
}

bool ClientLimits::is_full_for(const std::string& client) const {
  if (limits_.per_client == 0) return false;
  const auto known = by_client_.find(client);
  return known != by_client_.end() && known->second >= limits_.per_client;
}

void ClientLimits::add(const std::string& client) {
  ++count_;
  ++by_client_[client];
}

void ClientLimits::remove(const std::string& client) {
  const auto known = by_client_.find(client);
  assert(known != by_client_.end());
  --count_;
  if (--known->second == 0) by_client_.erase(known);
}

}  // namespace net
