// The Received field (RFC 5321 section 4.4, RFC 5322 section 3.6.7): written by smtpd, counted against loops.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lib/base/clock.h"

namespace mail {

// How the message came in, for the "with" clause.
struct Protocol {
  bool is_lmtp = false;
  bool is_extended = false;  // EHLO rather than HELO
  bool is_smtputf8 = false;  // the SMTPUTF8 parameter was on MAIL
  bool is_tls = false;
  bool is_authenticated = false;
};
// "SMTP", "ESMTPSA", "UTF8LMTPS": RFC 5321, RFC 3848, RFC 6531 section 4.3. Plain SMTP knows neither TLS nor AUTH.
std::string_view protocol_name(const Protocol& protocol);

struct Trace {
  std::string_view helo;         // what the client called itself; "" when it did not
  std::string_view client_host;  // its name in DNS; "" when it has none
  std::string_view client_ip;    // "192.0.2.1", "2001:db8::1"; "" for a message that came in by no network
  std::string_view by;           // our name
  std::string_view protocol;     // protocol_name(), or "local"
  std::string_view id;           // of our log and spool
  std::string_view recipient;    // when there is only one; "" else, so that nobody reads of the others (RFC 5321 section 7.2)
  std::string_view tls;          // a comment such as "TLSv1.3 TLS_AES_256_GCM_SHA384"; "" when there was none
  base::WallTime time;
};

// Received: from client.example (host.example [192.0.2.1])
//         by mx.example with ESMTP id 4711
//         for <user@example.org>; Fri, 21 Nov 1997 15:55:06 +0000
// with CRLF after each line. What a client can choose (helo, client_host, recipient) is made harmless: no octet of it ends a line or a
// comment.
void append_received(std::string& out, const Trace& trace);

// How many Received fields the header at the front of `message` has. Reads no further than the end of the header, or `limit`
// such fields.
std::size_t count_received(std::string_view message, std::size_t limit = static_cast<std::size_t>(-1));

}  // namespace mail
