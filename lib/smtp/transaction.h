// What MAIL, RCPT and DATA have said so far: RFC 5321 section 3.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/smtp/grammar.h"

namespace smtp {

struct Recipient {
  std::string address;             // local-part "@" domain; "Postmaster" has none
  std::string original_recipient;  // ORCPT of RFC 3461, as it came
  std::uint8_t notify = 0;         // bits of mail::Notify
};

struct Transaction {
  std::string reverse_path;  // "" for <>
  std::vector<Recipient> recipients;
  std::optional<std::uint64_t> declared_octets;  // SIZE
  std::uint64_t octets = 0;                      // of the message, so far
  std::size_t refused_recipients = 0;
  BodyType body = BodyType::None;
  Return dsn_return = Return::None;
  bool smtputf8 = false;
  bool require_tls = false;
  std::string envelope_id;
  std::string auth;
};

}  // namespace smtp
