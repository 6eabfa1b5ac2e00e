#include "smtpd/peer.h"

#include <cstdlib>

#include "lib/base/text.h"

namespace smtpd {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// An IP address of the environment, "" if it is none: what we were told goes into trace fields.
std::string checked_ip(std::string_view text) {
  const auto address = net::Address::from_ip(text, 0);
  return address ? address->ip() : std::string();
}

std::uint16_t checked_port(std::string_view text) { return base::text::parse_number<std::uint16_t>(text).value_or(0); }

}  // namespace

Peer Peer::of(const net::Address& client, const net::Address& server) {
  Peer peer;
  peer.client_ip = client.ip();
  peer.client_port = client.port();
  peer.server_ip = server.ip();
  peer.server_port = server.port();
  return peer;
}

Peer Peer::of_environment(int socket) {
  Peer peer;
  if (variable("PROTO").starts_with("TCP") && !variable("TCPREMOTEIP").empty()) {
    peer.client_ip = checked_ip(variable("TCPREMOTEIP"));
    peer.client_port = checked_port(variable("TCPREMOTEPORT"));
    peer.client_host = variable("TCPREMOTEHOST");
    peer.server_ip = checked_ip(variable("TCPLOCALIP"));
    peer.server_port = checked_port(variable("TCPLOCALPORT"));
  } else {
    peer = of(net::Address::of_peer(socket), net::Address::of_local(socket));
  }
  peer.is_relay_client = std::getenv("RELAYCLIENT") != nullptr;
  return peer;
}

net::Address Peer::client() const { return net::Address::from_ip(client_ip, client_port).value_or(net::Address()); }
net::Address Peer::server() const { return net::Address::from_ip(server_ip, server_port).value_or(net::Address()); }

}  // namespace smtpd
