// The record of a public key at SELECTOR._domainkey.DOMAIN, RFC 6376 section 3.6.1.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "lib/authn/dkim_signature.h"
#include "lib/authn/public_key.h"

namespace authn::dkim {

struct KeyRecord {
  KeyType type = KeyType::Rsa;
  std::string octets;         // p=; empty: the key is revoked
  bool is_testing = false;    // t=y
  bool is_strict = false;     // t=s: i= must have the domain of d= itself
};

// The error says why the record is no key for mail signed with SHA-256.
[[nodiscard]] std::expected<KeyRecord, std::string> parse_key(std::string_view text);
// The record as one publishes it.
[[nodiscard]] base::Result<std::string> key_record(const PrivateKey& key);

}  // namespace authn::dkim
