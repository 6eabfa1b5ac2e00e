#include "lib/sasl/crypto.h"

#include <mbedtls/md.h>
#include <string.h>
#include <sys/random.h>

#include <cassert>
#include <cstdlib>

namespace sasl {
namespace {

const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* octets_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// Fails only without the algorithm, or without memory: no secret can be checked then.
void require(int failed) {
  if (failed != 0) std::abort();
}

std::string hmac(mbedtls_md_type_t type, std::string_view key, std::string_view octets) {
  const auto* info = ::mbedtls_md_info_from_type(type);
  std::string digest(::mbedtls_md_get_size(info), '\0');
  require(::mbedtls_md_hmac(info, octets_of(key), key.size(), octets_of(octets), octets.size(), octets_of(digest)));
  return digest;
}

class Hmac {
 public:
  explicit Hmac(std::string_view key) {
    ::mbedtls_md_init(&context_);
    require(::mbedtls_md_setup(&context_, ::mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1));
    require(::mbedtls_md_hmac_starts(&context_, octets_of(key), key.size()));
  }
  ~Hmac() { ::mbedtls_md_free(&context_); }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;
  void of(std::string_view octets, std::string& digest) {
    require(::mbedtls_md_hmac_update(&context_, octets_of(octets), octets.size()));
    require(::mbedtls_md_hmac_finish(&context_, octets_of(digest)));
    require(::mbedtls_md_hmac_reset(&context_));
  }

 private:
  mbedtls_md_context_t context_;
};

}  // namespace

std::string sha256(std::string_view octets) {
  std::string digest(32, '\0');
  require(::mbedtls_md(::mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), octets_of(octets), octets.size(), octets_of(digest)));
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view octets) { return hmac(MBEDTLS_MD_SHA256, key, octets); }
std::string hmac_md5(std::string_view key, std::string_view octets) { return hmac(MBEDTLS_MD_MD5, key, octets); }

std::string hi_sha256(std::string_view password, std::string_view salt, unsigned iterations) {
  Hmac keyed(password);
  std::string round(32, '\0');
  keyed.of(std::string(salt) + std::string("\0\0\0\1", 4), round);
  std::string sum = round;
  for (unsigned i = 1; i < iterations; ++i) {
    keyed.of(round, round);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] = static_cast<char>(sum[k] ^ round[k]);
  }
  return sum;
}

std::string random_octets(std::size_t count) {
  assert(count <= 256);  // getrandom(2): so many come whole
  std::string octets(count, '\0');
  require(::getrandom(octets.data(), count, 0) == static_cast<ssize_t>(count) ? 0 : 1);
  return octets;
}

std::string to_hex(std::string_view octets) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const char octet : octets) (text += kHex[static_cast<unsigned char>(octet) >> 4U]) += kHex[static_cast<unsigned char>(octet) & 15U];
  return text;
}

bool is_equal_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<unsigned char>(difference | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
  return difference == 0;
}

void wipe(std::string& secret) {
  ::explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace sasl
