// Is this client allowed to send mail for that domain? check_host() of RFC 7208, section 4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/authn/look_up.h"
#include "lib/authn/spf_record.h"
#include "lib/net/socket.h"

namespace authn::spf {

// Section 4.6.4.
struct Limits {
  unsigned terms = 10;         // that ask DNS
  unsigned void_look_ups = 2;  // questions without an answer
  unsigned names = 10;         // of one mx; of one ptr those beyond are not looked at
  std::uint64_t milliseconds = 20'000;
};

enum class Identity : std::uint8_t { MailFrom, Helo };

struct Query {
  net::Address client;
  Identity identity = Identity::MailFrom;
  std::string sender;    // the reverse-path; "" is postmaster at `helo` (section 2.4)
  std::string helo;
  std::string receiver;  // who we are: the macro r
};

struct Outcome {
  Result result = Result::None;
  std::string mechanism;    // that matched, as it stands in the record; "default" when none did
  std::string problem;      // of None, TempError and PermError: what it is
  std::string explanation;  // of Fail: the domain's own words, printable ASCII; "" when it has none
};

[[nodiscard]] Outcome check(const Query& query, const LookUp& look_up, const Limits& limits = {});

// Section 9.1, without the name of the field and not folded: "pass (...) receiver=...; client-ip=...; ...".
[[nodiscard]] std::string received_spf(const Query& query, const Outcome& outcome);

}  // namespace authn::spf
