// The policy that the owner of a domain publishes at _dmarc.DOMAIN: RFC 9989 sections 4.7 and 4.8. Old tags (pct, rf, ri) mean
// nothing any more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace authn::dmarc {

enum class Policy : std::uint8_t { None, Quarantine, Reject };
[[nodiscard]] std::string_view word(Policy policy);  // "quarantine"

enum class SuffixDomain : std::uint8_t { Unknown, Yes, No };  // psd=

struct Record {
  // What it wants for the domain itself, for those below that exist, and for those below that do not: defaults filled in.
  Policy policy = Policy::None;
  Policy subdomain_policy = Policy::None;
  Policy missing_policy = Policy::None;
  // p, sp or np are of no use, and there is no rua either: nothing is done by this record (section 4.10.1), but it stands there.
  bool applies = true;
  bool is_strict_dkim = false;  // adkim=s
  bool is_strict_spf = false;   // aspf=s
  bool is_testing = false;      // t=y
  SuffixDomain suffix = SuffixDomain::Unknown;
  std::string failure_options = "0";    // fo=, as written, when it may be
  std::vector<std::string> aggregate;   // rua= and ruf=: URIs without the old limit of size
  std::vector<std::string> failure;
};

// Nothing: the text is no DMARC record, and is as if it were not there.
[[nodiscard]] std::optional<Record> parse(std::string_view text);

}  // namespace authn::dmarc
