// What a listening socket is for.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace smtpd {

enum class Service : std::uint8_t {
  Smtp,         // mail from everywhere for our domains, port 25
  Submission,   // mail of users, port 587 (RFC 6409)
  Submissions,  // the same where TLS begins with the connection, port 465 (RFC 8314 section 3.3)
};
// As in smtp.service and as names of sockets that systemd hands over.
constexpr std::array<std::string_view, 3> kServiceNames = {"smtp", "submission", "submissions"};
constexpr std::size_t index(Service service) { return static_cast<std::size_t>(service); }

}  // namespace smtpd
