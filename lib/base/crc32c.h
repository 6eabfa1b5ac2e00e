// CRC-32C (Castagnoli, RFC 3720 section 12.1, reflected polynomial 0x82F63B78): tells torn writes. By the processor's
// own instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace base {

// The checksum of `octets` behind octets whose checksum is `before`: crc32c(ab) == crc32c(b, crc32c(a)).
std::uint32_t crc32c(std::string_view octets, std::uint32_t before = 0);

// The same in portable code, for processors without the instruction.
std::uint32_t crc32c_portable(std::string_view octets, std::uint32_t before = 0);

}  // namespace base
