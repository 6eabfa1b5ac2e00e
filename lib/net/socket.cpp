#include "lib/net/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "lib/base/text.h"

namespace net {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr int kFirstInherited = 3;  // sd_listen_fds(3)

base::Result<Address> bad_address(std::string_view text) {
  return base::fail(base::Fault::Usage, "bad address '" + base::text::printable(text) +
                                            "'; expected: 192.0.2.1:25, [2001:db8::1]:25 or unix:/path");
}

base::Result<Address> unix_address(std::string_view path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string_view::npos)
    return base::fail(base::Fault::Usage, "bad socket path '" + base::text::printable(path) + "'; expected: 1 to " +
                                              std::to_string(sizeof address.sun_path - 1) + " octets");
  std::ranges::copy(path, address.sun_path);
  const auto length = offsetof(sockaddr_un, sun_path) + path.size() + 1;
  return Address::from_system(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length));
}

base::Result<base::UniqueFd> new_socket(int family, int flags) {
  base::UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!socket.is_open()) return base::fail_errno("socket");
  return socket;
}

// A socket file that refuses connections was left behind by a process that has ended.
base::Result<void> remove_dead(const Address& address) {
  const std::string path = address.text().substr(kUnix.size());
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return base::fail(base::Fault::Config, path + ": exists and is not a socket");
  const auto probe = new_socket(AF_UNIX, SOCK_NONBLOCK);
  if (!probe) return std::unexpected(probe.error());
  const bool refused = ::connect(probe->get(), address.system(), address.length()) != 0 && errno == ECONNREFUSED;
  if (!refused) return base::fail(base::Fault::Config, path + ": another process serves this socket");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return base::fail_errno("unlink " + path);
  return {};
}

base::Result<void> bind_to(int socket, const Address& address, unsigned mode) {
  const bool is_unix = !address.is_ip();
  // The file must never be open to more than `mode` says, so it is made with that mode. Listeners are made before
  // threads, so that the process-wide umask disturbs nobody.
  const mode_t before = is_unix ? ::umask(static_cast<mode_t>(~mode & 0777U)) : 0;
  const int failed = ::bind(socket, address.system(), address.length());
  const int number = errno;
  if (is_unix) ::umask(before);
  errno = number;
  if (failed != 0) return base::fail_errno("bind " + address.text(), base::Fault::Config);
  return {};
}

}  // namespace

base::Result<Address> Address::parse(std::string_view text) {
  std::string_view rest = text;
  if (base::text::consume(rest, kUnix)) return unix_address(rest);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  const auto port = base::text::parse_number<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (has_brackets) host = host.substr(1, host.size() - 2);
  if (!port || has_brackets != (host.find(':') != std::string_view::npos)) return bad_address(text);
  const auto address = from_ip(host, *port);
  return address ? address : bad_address(text);
}

base::Result<Address> Address::from_ip(std::string_view ip, std::uint16_t port) {
  // "fe80::1%eth0": an address of a link says of which (RFC 4007 section 11).
  const auto [plain, scope] = base::text::split_once(ip, '%');
  const std::string text(plain), zone(scope);
  const unsigned scope_id = zone.empty() ? 0 : base::text::parse_number<unsigned>(zone).value_or(::if_nametoindex(zone.c_str()));
  if (ip.contains('\0') || (plain.size() < ip.size() && scope_id == 0)) return base::fail(base::Fault::Usage, "bad IP address '" + base::text::printable(ip) + "'");
  Address address;
  if (auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage_); scope_id == 0 && ::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length_ = sizeof *v4;
    return address;
  }
  if (auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage_); ::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    v6->sin6_scope_id = scope_id;
    address.length_ = sizeof *v6;
    return address;
  }
  return base::fail(base::Fault::Usage, "bad IP address '" + base::text::printable(ip) + "'");
}

Address Address::from_system(const sockaddr* address, socklen_t length) {
  Address result;
  result.length_ = std::min<socklen_t>(length, sizeof result.storage_);
  std::memcpy(&result.storage_, address, result.length_);
  return result;
}

Address Address::of_peer(int socket) {
  Address address;
  socklen_t length = sizeof address.storage_;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address.storage_), &length) == 0) address.length_ = length;
  return address;
}

Address Address::of_local(int socket) {
  Address address;
  socklen_t length = sizeof address.storage_;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage_), &length) == 0) address.length_ = length;
  return address;
}

bool Address::is_ip() const { return !is_empty() && (storage_.ss_family == AF_INET || storage_.ss_family == AF_INET6); }

std::string Address::ip() const {
  if (!is_ip()) return {};
  char text[INET6_ADDRSTRLEN] = "";
  if (storage_.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text, sizeof text);
    return text;
  }
  const in6_addr& octets = reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&octets)) {
    ::inet_ntop(AF_INET, &octets.s6_addr[12], text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, &octets, text, sizeof text);
  }
  return text;
}

std::uint16_t Address::port() const {
  if (!is_ip()) return 0;
  if (storage_.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
}

std::string Address::text() const {
  if (is_empty()) return {};
  if (is_ip()) {
    const std::string host = ip();
    const std::string end = ":" + std::to_string(port());
    return host.find(':') == std::string::npos ? host + end : "[" + host + "]" + end;
  }
  const auto* local = reinterpret_cast<const sockaddr_un*>(&storage_);
  const std::size_t room = length_ > offsetof(sockaddr_un, sun_path) ? length_ - offsetof(sockaddr_un, sun_path) : 0;
  return std::string(kUnix) + std::string(local->sun_path, ::strnlen(local->sun_path, room));
}

base::Result<Network> Network::parse(std::string_view text) {
  const auto [host, prefix] = base::text::split_once(text, '/');
  const auto address = Address::from_ip(host, 0);
  Network network;
  const std::string expected = "bad network '" + base::text::printable(text) + "'; expected: 192.0.2.0/24, 2001:db8::/32 or an address";
  if (!address) return base::fail(base::Fault::Usage, expected);
  network.family_ = address->system()->sa_family;
  const bool is_v4 = network.family_ == AF_INET;
  const unsigned all = is_v4 ? 32 : 128;
  const auto bits = text.find('/') == std::string_view::npos ? std::optional<unsigned>(all) : base::text::parse_number<unsigned>(prefix);
  if (!bits || *bits > all) return base::fail(base::Fault::Usage, expected);
  network.bits_ = *bits;
  const void* octets = is_v4 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address->system())->sin_addr)
                             : &reinterpret_cast<const sockaddr_in6*>(address->system())->sin6_addr;
  std::memcpy(network.octets_, octets, all / 8);
  return network;
}

bool Network::contains(const Address& address) const {
  if (!address.is_ip()) return false;
  const unsigned char* octets = nullptr;
  int family = address.system()->sa_family;
  if (family == AF_INET) {
    octets = reinterpret_cast<const unsigned char*>(&reinterpret_cast<const sockaddr_in*>(address.system())->sin_addr);
  } else {
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address.system())->sin6_addr;
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6) && family_ == AF_INET;
    octets = is_mapped ? &v6.s6_addr[12] : v6.s6_addr;
    if (is_mapped) family = AF_INET;
  }
  if (family != family_) return false;
  const unsigned whole = bits_ / 8;
  const unsigned rest = bits_ % 8;
  if (std::memcmp(octets, octets_, whole) != 0) return false;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xFFU << (8 - rest));
  return (octets[whole] & mask) == (octets_[whole] & mask);
}

base::Result<base::UniqueFd> listen_on(const Address& address, int backlog, unsigned mode) {
  auto socket = new_socket(address.system()->sa_family, SOCK_NONBLOCK);
  if (!socket) return socket;
  const int on = 1;
  if (address.is_ip()) {
    ::setsockopt(socket->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // Accepted sockets inherit it. We write whole replies, so there is nothing that Nagle's algorithm could join.
    ::setsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (address.system()->sa_family == AF_INET6) ::setsockopt(socket->get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  } else if (const auto removed = remove_dead(address); !removed) {
    return std::unexpected(removed.error());
  }
  if (const auto bound = bind_to(socket->get(), address, mode); !bound) return std::unexpected(bound.error());
  if (::listen(socket->get(), backlog) != 0) return base::fail_errno("listen " + address.text(), base::Fault::Config);
  return socket;
}

base::Result<base::UniqueFd> connect_to(const Address& address) {
  auto socket = new_socket(address.system()->sa_family, 0);
  if (!socket) return socket;
  const int on = 1;
  if (address.is_ip()) ::setsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket->get(), address.system(), address.length()) != 0) return base::fail_errno(address.text() + ": connect");
  return socket;
}

std::vector<InheritedListener> inherited_listeners() {
  std::vector<InheritedListener> listeners;
  const char* pid = std::getenv("LISTEN_PID");
  const char* fds = std::getenv("LISTEN_FDS");
  if (pid == nullptr || fds == nullptr) return listeners;
  const auto count = base::text::parse_number<unsigned>(fds);
  if (base::text::parse_number<pid_t>(pid) != ::getpid() || !count) return listeners;
  const char* given_names = std::getenv("LISTEN_FDNAMES");
  const auto names = base::text::split(given_names != nullptr ? given_names : "", ':');
  for (int fd = kFirstInherited; fd < kFirstInherited + static_cast<int>(std::min(*count, 1024U)); ++fd) {
    int listens = 0;
    socklen_t length = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 || listens == 0) continue;
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    const auto at = static_cast<std::size_t>(fd - kFirstInherited);
    listeners.push_back({base::UniqueFd(fd), at < names.size() ? std::string(names[at]) : std::string()});
  }
  // Not for children: the sockets are taken.
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return listeners;
}

}  // namespace net
