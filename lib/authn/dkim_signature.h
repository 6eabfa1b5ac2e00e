// The field DKIM-Signature, RFC 6376 section 3.5, and ARC-Message-Signature, which says the same (RFC 8617 section 4.1.2).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/authn/canonical.h"
#include "lib/authn/public_key.h"

namespace authn::dkim {

struct Signature {
  KeyType key_type = KeyType::Rsa;  // of a=; the hash is SHA-256
  std::string signature;            // b=, its octets
  std::string body_hash;            // bh=, its octets
  Canonicalization header_form = Canonicalization::Simple;
  Canonicalization body_form = Canonicalization::Simple;
  std::string domain;               // d=, A-labels in lower case
  std::string selector;             // s=
  std::string identity;             // i=; "@" + domain when it is not given
  bool has_identity = false;
  std::vector<std::string> headers; // h=, in its order, as written
  std::optional<std::uint64_t> body_length;  // l=
  std::optional<std::uint64_t> made_at;      // t=, seconds since 1970
  std::optional<std::uint64_t> expires_at;   // x=

  [[nodiscard]] std::string_view algorithm() const { return key_type == KeyType::Rsa ? "rsa-sha256" : "ed25519-sha256"; }
  [[nodiscard]] std::string key_name() const { return selector + "._domainkey." + domain; }
  [[nodiscard]] bool has_expired(std::uint64_t now, std::uint64_t tolerance_seconds) const { return expires_at && now > *expires_at + tolerance_seconds; }
};

enum class Kind : std::uint8_t { Dkim, ArcMessage };

// `body` of the field. The error says what is wrong.
[[nodiscard]] std::expected<Signature, std::string> parse(std::string_view body, Kind kind = Kind::Dkim);

// The field without what its b= holds: section 3.7. `field` and the view `body` in it, as they stand in the message.
[[nodiscard]] std::string without_signature(std::string_view field);

// DNS names of d= and s=: letters, digits, hyphens, underscores.
[[nodiscard]] bool is_domain(std::string_view text);

}  // namespace authn::dkim
