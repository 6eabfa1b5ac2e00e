// An SPF record as it stands in DNS: RFC 7208 sections 4.5, 4.6, 5, 6.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "lib/net/socket.h"

namespace authn::spf {

// Section 2.6.
enum class Result : std::uint8_t { None, Neutral, Pass, Fail, SoftFail, TempError, PermError };
[[nodiscard]] std::string_view word(Result result);  // "softfail"

struct Mechanism {
  enum class Kind : std::uint8_t { All, Include, A, Mx, Ptr, Ip4, Ip6, Exists };
  Kind kind = Kind::All;
  Result qualifier = Result::Pass;  // what it says when it matches
  std::string domain;               // domain-spec; "" is the domain under evaluation
  unsigned ipv4_bits = 32;          // of A and Mx
  unsigned ipv6_bits = 128;
  net::Network network;             // of Ip4 and Ip6
  std::string text;                 // as it stands in the record, for people
};

struct Record {
  std::vector<Mechanism> mechanisms;
  std::string redirect;     // domain-specs; "" when there is none
  std::string explanation;
};

// version = "v=spf1", followed by a space or nothing.
[[nodiscard]] bool is_record(std::string_view text);
// The error says what is wrong, with the term: it is a PermError.
[[nodiscard]] std::expected<Record, std::string> parse(std::string_view text);

}  // namespace authn::spf
