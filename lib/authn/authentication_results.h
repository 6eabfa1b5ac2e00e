// The field Authentication-Results, RFC 8601: what a host found out about a message, for those who trust that host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace authn {

// One "method=result": "dkim=pass reason=... header.d=example.org".
struct MethodResult {
  struct Property {
    std::string name;   // ptype "." property: "header.d"
    std::string value;
  };
  std::string method;
  std::string result;
  std::string reason = {};
  std::vector<Property> properties = {};
};

// The body of the field: "authserv-id; method=...; ...", "authserv-id; none" without results. One result a line, folded with CRLF and
// a tab when `is_folded`. Values are quoted where they have to be; what no field may hold is left out.
[[nodiscard]] std::string authentication_results(std::string_view authserv_id, const std::vector<MethodResult>& results, bool is_folded = true);

// Who claims to have written a field; "" when it cannot be read. Comments are skipped, case is folded.
[[nodiscard]] std::string authserv_id_of(std::string_view body);

}  // namespace authn
