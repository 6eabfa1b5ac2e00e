// Where a broker is and who we are there: amqp://USER:PASSWORD@HOST:PORT,HOST:PORT/VHOST. No I/O but the password's file.
//
// USER, PASSWORD and VHOST are percent-encoded (RFC 3986 section 2.1). What is missing is guest, guest, 5672 and "/".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace broker {

struct Host {
  std::string name;  // a name, an IPv4 or an IPv6 address without brackets
  std::uint16_t port = 5672;
};

struct Address {
  std::vector<Host> hosts;  // of one cluster: tried in turn
  std::string user = "guest";
  std::string password = "guest";
  std::string vhost = "/";
  bool has_password = false;

  // For the log and for errors: without the password.
  [[nodiscard]] std::string text() const;
};

// Whether a spool is one of these, well-formed or not.
[[nodiscard]] bool is_address(std::string_view where);

// Fault::Config; the cause never repeats what may hold a password.
[[nodiscard]] base::Result<Address> parse_address(std::string_view where);

// The first line of the file becomes the password. The file must be nobody else's to read.
[[nodiscard]] base::Result<void> read_password(Address& address, const std::string& file);

}  // namespace broker
