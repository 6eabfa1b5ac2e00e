// What a server offers in its reply to EHLO or LHLO: RFC 5321 section 4.1.1.1.
#pragma once

#include <cstdint>
#include <string>

#include "lib/smtp/reply.h"

namespace smtp {

struct Extensions {
  bool pipelining = false;          // RFC 2920
  bool size = false;                // RFC 1870
  bool eight_bit_mime = false;      // RFC 6152
  bool smtputf8 = false;            // RFC 6531
  bool enhanced_status = false;     // RFC 2034
  bool chunking = false;            // RFC 3030
  bool binary_mime = false;         // RFC 3030
  bool dsn = false;                 // RFC 3461
  bool starttls = false;            // RFC 3207
  bool auth = false;                // RFC 4954
  bool xforward = false;            // XFORWARD_README of Postfix
  bool require_tls = false;         // RFC 8689; only under TLS does it mean anything
  std::uint64_t size_max_octets = 0;  // 0: the server names no limit
  std::string auth_mechanisms;        // "PLAIN LOGIN"
  std::string xforward_attributes;    // "NAME ADDR HELO"
};

// The first line is the server's name. Keywords that nobody here knows are ignored.
Extensions parse_extensions(const Reply& reply_to_ehlo);

}  // namespace smtp
