// Header and body in the forms that signatures are made over, RFC 6376 section 3.4. Knows nothing of signatures: DKIM and ARC use
// it. Messages may have CRLF or LF at the ends of lines; what is signed has CRLF.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace authn {

enum class Canonicalization : std::uint8_t { Simple, Relaxed };

using Sha256 = std::array<std::uint8_t, 32>;
[[nodiscard]] Sha256 sha256(std::string_view octets);

// Appends a field with its CRLF. `field`: as it stands in the message, from its name to the end of its last line, with or without
// the line end.
void append_field(std::string& out, std::string_view field, Canonicalization how);

struct BodyHash {
  Canonicalization how = Canonicalization::Simple;
  std::optional<std::uint64_t> length = std::nullopt;  // l=: octets of the canonical body, from its beginning

  Sha256 digest{};                   // the answer
  std::uint64_t canonical_octets = 0;  // of the whole canonical body; less than `length`: the digest is of no use
};
// All in one pass over the body.
void hash_body(std::string_view body, std::span<BodyHash> wanted);

// Of `text`: the first octet that the relaxed form changes, or that is a line end of LF alone; its size when there is none.
// Exposed for its test.
[[nodiscard]] std::size_t find_change(std::string_view text, std::size_t from);

}  // namespace authn
