// The two kinds of keys that sign mail: RSA (RFC 6376) and Ed25519 (RFC 8463). mbedTLS and libsodium stay in the .cpp.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "lib/authn/canonical.h"
#include "lib/base/result.h"

namespace authn {

enum class KeyType : std::uint8_t { Rsa, Ed25519 };

class PublicKey {
 public:
  // Of RSA: SubjectPublicKeyInfo or RSAPublicKey in DER. Of Ed25519: 32 octets. The error says what is wrong.
  [[nodiscard]] static std::expected<PublicKey, std::string> parse(KeyType type, std::string_view octets);
  ~PublicKey();
  PublicKey(PublicKey&&) noexcept;
  PublicKey& operator=(PublicKey&&) noexcept;

  [[nodiscard]] KeyType type() const;
  [[nodiscard]] unsigned bits() const;
  // rsa-sha256 (RSASSA-PKCS1-v1_5) or ed25519-sha256 over a digest. One thread at a time.
  [[nodiscard]] bool verifies(const Sha256& digest, std::string_view signature) const;

 private:
  struct Internal;
  explicit PublicKey(std::unique_ptr<Internal> internal);
  std::unique_ptr<Internal> internal_;
};

class PrivateKey {
 public:
  // RSA in PEM (PKCS #1 or #8); Ed25519 in PEM (PKCS #8) or as base64 of its seed of 32 octets. `name` is for the error.
  [[nodiscard]] static base::Result<PrivateKey> parse(std::string_view text, const std::string& name);
  // Refuses a file that others than its owner and group can read.
  [[nodiscard]] static base::Result<PrivateKey> read(const std::string& file);
  [[nodiscard]] static base::Result<PrivateKey> generate(KeyType type, unsigned rsa_bits);
  ~PrivateKey();
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;

  [[nodiscard]] KeyType type() const;
  [[nodiscard]] unsigned bits() const;
  [[nodiscard]] base::Result<std::string> sign(const Sha256& digest) const;  // the octets of the signature; by any thread
  [[nodiscard]] base::Result<std::string> to_pem() const;
  // What PublicKey::parse() reads, and p= of a key record holds in base64.
  [[nodiscard]] base::Result<std::string> public_octets() const;

 private:
  struct Internal;
  explicit PrivateKey(std::unique_ptr<Internal> internal);
  std::unique_ptr<Internal> internal_;
};

}  // namespace authn
