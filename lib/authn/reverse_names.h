// What the names of a client and the exchangers of a domain say: "iprev" of RFC 8601 section 3, null MX of RFC 7505.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/authn/look_up.h"
#include "lib/net/socket.h"

namespace authn {

namespace iprev {

enum class Result : std::uint8_t { Pass, Fail, TempError, PermError };  // PermError: the address has no name
[[nodiscard]] std::string_view word(Result result);

struct Outcome {
  Result result = Result::PermError;
  std::string name;     // of Pass: the first name that leads back to the address
  std::string problem;  // of all others
};
// Of the names of an address the first ten are looked at.
[[nodiscard]] Outcome check(const net::Address& client, const LookUp& look_up);

// "1.2.0.192.in-addr.arpa", nibbles below ip6.arpa.
[[nodiscard]] std::string reverse_name(const net::Address& address);

}  // namespace iprev

namespace null_mx {

enum class Answer : std::uint8_t { No, Yes, Unknown };  // Unknown: DNS did not say
// Whether the domain takes no mail: its only MX record has the root for a host.
[[nodiscard]] Answer ask(const std::string& domain, const LookUp& look_up);

}  // namespace null_mx

}  // namespace authn
