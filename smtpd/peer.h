// Both ends of a connection, as a socket or the UCSPI environment tells them (tcp-environ(5)).
#pragma once

#include <cstdint>
#include <string>

#include "lib/net/socket.h"

namespace smtpd {

struct Peer {
  std::string client_ip;    // "" when the client came by no network
  std::string client_host;  // its name in DNS, if somebody looked it up
  std::string server_ip;
  std::uint16_t client_port = 0;
  std::uint16_t server_port = 0;
  bool is_relay_client = false;

  static Peer of(const net::Address& client, const net::Address& server);
  // $PROTO and $TCPREMOTEIP and so on when tcpserver, s6 or tcplaunch has set them, else the ends of the socket. $RELAYCLIENT makes a relay
  // client, as for qmail-smtpd(8).
  static Peer of_environment(int socket);

  [[nodiscard]] net::Address client() const;  // empty when there is no client_ip
  [[nodiscard]] net::Address server() const;
};

}  // namespace smtpd
