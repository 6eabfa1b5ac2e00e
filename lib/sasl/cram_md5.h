// CRAM-MD5 (RFC 2195).
#pragma once

#include <string_view>

namespace sasl {

// Whether `digest`, hexadecimal letters in lower case, is the one of this challenge under this password.
bool is_cram_md5_digest(std::string_view digest, std::string_view challenge, std::string_view password);

}  // namespace sasl
