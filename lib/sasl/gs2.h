// gs2-header of RFC 5801 section 4, with which SCRAM's and OAUTHBEARER's first messages begin.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sasl {

struct Gs2Header {
  char flag = 'n';            // 'p': channel binding; 'y': the client could, but believes that the server cannot; 'n'
  std::string binding_name;   // of 'p'
  std::string authorization;  // "" when not given
};

// Eats it from the front of `message`, with the comma at its end. nullopt: it is none.
std::optional<Gs2Header> consume_gs2_header(std::string_view& message);

// saslname: "=2C" is a comma, "=3D" a "="; nullopt: something else stands behind a "=", or it is empty or has a NUL.
std::optional<std::string> from_saslname(std::string_view name);

}  // namespace sasl
