#include "lib/net/proxy_header.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "lib/base/text.h"

namespace net {
namespace {

using Status = ProxyHeader::Status;

constexpr std::string_view kText = "PROXY ", kBinary("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kMostTextOctets = 107;      // section 2.1, with CR LF
constexpr std::size_t kFixedOctets = 16;          // section 2.2
constexpr std::size_t kMostVariableOctets = 4096;  // addresses and TLVs; nobody sends so many

std::uint16_t number_at(std::string_view octets, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(octets[at]) << 8U | static_cast<unsigned char>(octets[at + 1]));
}

// "TCP4 192.0.2.1 192.0.2.2 40000 25"
bool read_addresses(std::string_view line, ProxyHeader& header) {
  const auto words = base::text::split(line, ' ');
  if (words.front() == "UNKNOWN") return true;
  if (words.size() != 5 || (words[0] != "TCP4" && words[0] != "TCP6")) return false;
  const auto client_port = base::text::parse_number<std::uint16_t>(words[3]), server_port = base::text::parse_number<std::uint16_t>(words[4]);
  if (!client_port || !server_port) return false;
  const auto client = Address::from_ip(words[1], *client_port), server = Address::from_ip(words[2], *server_port);
  const sa_family_t family = words[0] == "TCP4" ? AF_INET : AF_INET6;
  if (!client || !server || client->system()->sa_family != family || server->system()->sa_family != family) return false;
  header.client = *client;
  header.server = *server;
  return true;
}

Status read_text(std::string_view& input, ProxyHeader& header) {
  const auto end = input.substr(0, kMostTextOctets).find("\r\n");
  if (end == std::string_view::npos) return input.size() < kMostTextOctets ? Status::NeedMore : Status::Malformed;
  if (!read_addresses(input.substr(kText.size(), end - kText.size()), header)) return Status::Malformed;
  input.remove_prefix(end + 2);
  return Status::Read;
}

Address v4_at(std::string_view octets, std::size_t ip, std::size_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::memcpy(&address.sin_addr, octets.data() + ip, 4);
  std::memcpy(&address.sin_port, octets.data() + port, 2);
  return Address::from_system(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}
Address v6_at(std::string_view octets, std::size_t ip, std::size_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  std::memcpy(&address.sin6_addr, octets.data() + ip, 16);
  std::memcpy(&address.sin6_port, octets.data() + port, 2);
  return Address::from_system(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

Status read_binary(std::string_view& input, ProxyHeader& header) {
  if (input.size() < kFixedOctets) return Status::NeedMore;
  constexpr unsigned kLocal = 0x20, kProxied = 0x21, kTcp4 = 0x11, kTcp6 = 0x21;
  const unsigned command = static_cast<unsigned char>(input[12]), family = static_cast<unsigned char>(input[13]);
  const std::size_t length = number_at(input, 14);
  if ((command != kLocal && command != kProxied) || length > kMostVariableOctets) return Status::Malformed;
  if (input.size() < kFixedOctets + length) return Status::NeedMore;
  const auto addresses = input.substr(kFixedOctets, length);
  if (command == kProxied && family == kTcp4) {
    if (length < 12) return Status::Malformed;
    header.client = v4_at(addresses, 0, 8);
    header.server = v4_at(addresses, 4, 10);
  } else if (command == kProxied && family == kTcp6) {
    if (length < 36) return Status::Malformed;
    header.client = v6_at(addresses, 0, 32);
    header.server = v6_at(addresses, 16, 34);
  }
  input.remove_prefix(kFixedOctets + length);
  return Status::Read;
}

}  // namespace

Status ProxyHeader::read(std::string_view& input) {
  const auto may_begin = [&](std::string_view front) { return input.substr(0, front.size()) == front.substr(0, std::min(front.size(), input.size())); };
  if (may_begin(kText)) return input.size() < kText.size() ? Status::NeedMore : read_text(input, *this);
  if (may_begin(kBinary)) return input.size() < kBinary.size() ? Status::NeedMore : read_binary(input, *this);
  return Status::Malformed;
}

}  // namespace net
