// Who a message is from and for, apart from what its header says (RFC 5321 section 2.3.1).
#pragma once

#include <string>
#include <vector>

namespace mail {

struct Envelope {
  std::string reverse_path;             // without angle brackets; "" is the null reverse-path <>
  std::vector<std::string> recipients;  // forward-paths without angle brackets and source routes
};

}  // namespace mail
