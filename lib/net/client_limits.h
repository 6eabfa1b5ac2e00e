// How many connections there are, in all and from one client. A client is an IPv4 address or an IPv6 network: who has one
// address of IPv6 has a whole network of them.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "lib/net/socket.h"

namespace net {

class ClientLimits {
 public:
  struct Limits {
    std::size_t in_all = 0;      // 0: no limit
    std::size_t per_client = 0;  // 0: no limit
    unsigned ipv6_bits = 64;
  };
  explicit ClientLimits(const Limits& limits) : limits_(limits) {}

  // The octets by which this client is known: of its address, without the port; empty for a Unix socket.
  [[nodiscard]] std::string client_of(const Address& address) const;

  [[nodiscard]] bool is_full() const { return limits_.in_all != 0 && count_ >= limits_.in_all; }
  [[nodiscard]] bool is_full_for(const std::string& client) const;
  void add(const std::string& client);
  void remove(const std::string& client);  // one that was added
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  Limits limits_;
  std::size_t count_ = 0;
  std::unordered_map<std::string, std::size_t> by_client_;
};

}  // namespace net
