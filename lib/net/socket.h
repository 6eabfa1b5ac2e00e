// Socket addresses and sockets. No waiting.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace net {

// An IPv4, IPv6 or Unix socket address.
class Address {
 public:
  Address() = default;
  // "192.0.2.1:25", "[2001:db8::1]:25", "unix:/path"; a host part must be numeric, "0.0.0.0:25" and "[::]:25" mean all.
  [[nodiscard]] static base::Result<Address> parse(std::string_view text);
  [[nodiscard]] static base::Result<Address> from_ip(std::string_view ip, std::uint16_t port);
  static Address from_system(const sockaddr* address, socklen_t length);
  [[nodiscard]] static Address of_peer(int socket);   // empty when not a socket
  [[nodiscard]] static Address of_local(int socket);

  [[nodiscard]] bool is_empty() const { return length_ == 0; }
  [[nodiscard]] bool is_ip() const;
  [[nodiscard]] std::string ip() const;          // "192.0.2.1", "2001:db8::1" (IPv4-mapped ones as IPv4); "" for Unix
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string text() const;        // as parse() reads it
  [[nodiscard]] const sockaddr* system() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t length() const { return length_; }

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

// A network, "192.0.2.0/24", "2001:db8::/32", or a single address.
class Network {
 public:
  [[nodiscard]] static base::Result<Network> parse(std::string_view text);
  [[nodiscard]] bool contains(const Address& address) const;

 private:
  int family_ = 0;
  unsigned char octets_[16] = {};
  unsigned bits_ = 0;
};

// Bound and listening, non-blocking, close-on-exec, SO_REUSEADDR; IPv6 sockets are IPv6 only. A Unix path whose socket
// nobody serves any more is replaced; one that is served is an error. `mode` is for Unix paths.
[[nodiscard]] base::Result<base::UniqueFd> listen_on(const Address& address, int backlog = 4096, unsigned mode = 0600);
// Connected, blocking: for one-shot programs.
[[nodiscard]] base::Result<base::UniqueFd> connect_to(const Address& address);

// Sockets handed over by systemd or s6 (LISTEN_FDS, LISTEN_PID), from descriptor 3 on; empty when there are none.
struct InheritedListener {
  base::UniqueFd fd;
  std::string name;  // of LISTEN_FDNAMES; "" without
};
[[nodiscard]] std::vector<InheritedListener> inherited_listeners();

}  // namespace net
