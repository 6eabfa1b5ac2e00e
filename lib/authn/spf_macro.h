// The macros of SPF, RFC 7208 section 7: in the domain-specs of a record and in explanations.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace authn::spf {

// macro-string, section 7.1; `c`, `r` and `t` only where a text for people is made.
[[nodiscard]] bool is_macro_string(std::string_view text, bool is_explanation = false);
// domain-spec = macro-string domain-end
[[nodiscard]] bool is_domain_spec(std::string_view text);

// What the letters stand for, as section 7.2 names them.
struct MacroValues {
  std::string sender;         // s; l and o are its parts
  std::string domain;         // d
  std::string address;        // i: "192.0.2.1", or 32 nibbles with dots between them
  std::string address_text;   // c: as people write it
  std::string address_kind;   // v: "in-addr", "ip6"
  std::string helo;           // h
  std::string receiver;       // r
  std::string time;           // t: seconds since 1970
  std::function<std::string()> validated;  // p: costs look-ups
};

// Of what is_macro_string() takes.
[[nodiscard]] std::string expand(std::string_view text, const MacroValues& values);
// The same for a name to look up: cut from the left to 253 octets, without a dot at its end (section 7.3).
[[nodiscard]] std::string expand_domain(std::string_view text, const MacroValues& values);

}  // namespace authn::spf
