// Certificates that DNS vouches for: TLSA records (RFC 6698, RFC 7671), and whether a chain of certificates is what they say. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace net::dane {

// The two that do without authorities. SMTP does not use PKIX-TA(0) and PKIX-EE(1): RFC 7672 section 3.1.3.
enum class Usage : std::uint8_t { TrustAnchor = 2, EndEntity = 3 };
enum class Selector : std::uint8_t { Certificate = 0, Key = 1 };
enum class Matching : std::uint8_t { Full = 0, Sha256 = 1, Sha512 = 2 };

[[nodiscard]] std::string_view name_of(Usage usage);  // "DANE-TA", as RFC 7218 has it

struct Record {
  Usage usage = Usage::EndEntity;
  Selector selector = Selector::Certificate;
  Matching matching = Matching::Full;
  std::string data;  // of the certificate or its SubjectPublicKeyInfo: DER, or the digest of that

  [[nodiscard]] std::string text() const;  // "3 1 1 0123..."
  friend bool operator==(const Record&, const Record&) = default;
};

// RFC 6698 section 2.1. nullopt: a record that cannot be used.
[[nodiscard]] std::optional<Record> parse(std::string_view rdata);
// Those that can be used; of the digests of a usage and selector only those of the strongest kind (RFC 7671 section 9).
[[nodiscard]] std::vector<Record> usable(std::span<const std::string> rdata);

struct Match {
  std::optional<Usage> usage;  // of a record that fits; nullopt: none does
  std::string problem;         // why
};

// `chain` is DER as the server has shown it, its own certificate first. A key or certificate of DANE-EE counts whatever else the certificate
// says (RFC 7672 section 3.1.1). Under DANE-TA the chain must lead to the anchor, and be in its time; the names are the caller's to compare.
// An anchor that is a whole certificate need not be in the chain, others must be (section 3.1.2).
[[nodiscard]] Match match(std::span<const std::string> chain, std::span<const Record> records);

}  // namespace net::dane
