// Where a message goes, as a person, a setting or a delivery call writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "lib/net/socket.h"

namespace remote {

struct Target {
  enum class Kind : std::uint8_t {
    Domain,   // its mail exchangers are looked up
    Host,     // its addresses are: "[mail.example.org]"
    Address,  // nothing is
  };
  Kind kind = Kind::Domain;
  std::string name;      // in A-labels; as written for an Address
  std::uint16_t port = 0;
  net::Address address;  // Kind::Address

  // "example.org", "[mail.example.org]", "[192.0.2.1]", "[IPv6:2001:db8::1]", "192.0.2.1", each with or without ":PORT",
  // or "unix:/path". Anything else is Fault::Permanent.
  [[nodiscard]] static base::Result<Target> parse(std::string_view text, std::uint16_t standard_port);
};

}  // namespace remote
