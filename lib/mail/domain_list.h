// The domains of a setting such as delivery.local_domains: "example.org", ".example.org" for every name below it (not
// itself), "*" for all. Compared in ASCII without case; a dot at the end of a name does not count (RFC 1034 section 3.1).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

namespace mail {

// The form in which domains are compared: lower case (ASCII), without the dot at the end.
[[nodiscard]] std::string plain_domain(std::string_view domain);

class DomainList {
 public:
  DomainList() = default;
  explicit DomainList(std::span<const std::string> entries);

  [[nodiscard]] bool contains(std::string_view domain) const;
  [[nodiscard]] bool is_empty() const { return !all_ && entries_.empty(); }

 private:
  std::unordered_set<std::string> entries_;  // lower case, without the dot at the end
  bool all_ = false;
};

}  // namespace mail
