// The hashes that mechanisms are made of, by mbedTLS, and what secrets need beside.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sasl {

std::string sha256(std::string_view octets);
std::string hmac_sha256(std::string_view key, std::string_view octets);
std::string hmac_md5(std::string_view key, std::string_view octets);
// Hi() of RFC 5802 section 2.2: PBKDF2 with HMAC-SHA-256 and one block.
std::string hi_sha256(std::string_view password, std::string_view salt, unsigned iterations);

std::string random_octets(std::size_t count);  // of the system
std::string to_hex(std::string_view octets);   // in lower case

// The time depends on the lengths only.
bool is_equal_secret(std::string_view a, std::string_view b);
// Overwrites what is not to stay in memory, and empties it.
void wipe(std::string& secret);

}  // namespace sasl
