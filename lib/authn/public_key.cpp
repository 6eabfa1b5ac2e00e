#include "lib/authn/public_key.h"

#include <fcntl.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>
#include <sodium.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "lib/base/base64.h"
#include "lib/base/io.h"
#include "lib/base/unique_fd.h"

namespace authn {

namespace {

constexpr std::size_t kSeedOctets = crypto_sign_SEEDBYTES;
// PrivateKeyInfo of an Ed25519 key (RFC 8410 section 7) up to its seed, which is all that follows.
constexpr std::array<unsigned char, 16> kEd25519Prefix = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
constexpr std::string_view kPemBegin = "-----BEGIN PRIVATE KEY-----";
constexpr std::string_view kPemEnd = "-----END PRIVATE KEY-----";
constexpr std::size_t kMaxKeyFileOctets = 64 * 1024;

const unsigned char* octets_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string mbedtls_text(int code) {
  char text[128];
  mbedtls_strerror(code, text, sizeof text);
  return text;
}

// One generator of random numbers for all threads: RSA blinds its private operation with them.
class Random {
 public:
  Random() {
    mbedtls_entropy_init(&entropy_);
    mbedtls_ctr_drbg_init(&generator_);
    is_ready_ = mbedtls_ctr_drbg_seed(&generator_, mbedtls_entropy_func, &entropy_, nullptr, 0) == 0;
  }
  ~Random() {
    mbedtls_ctr_drbg_free(&generator_);
    mbedtls_entropy_free(&entropy_);
  }
  static int fill(void* self, unsigned char* out, std::size_t size) {
    auto& random = *static_cast<Random*>(self);
    const std::lock_guard lock(random.mutex_);
    return random.is_ready_ ? mbedtls_ctr_drbg_random(&random.generator_, out, size) : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
  }
  static Random& shared() {
    static Random random;
    return random;
  }

 private:
  std::mutex mutex_;
  mbedtls_entropy_context entropy_;
  mbedtls_ctr_drbg_context generator_;
  bool is_ready_ = false;
};

struct PkContext {
  PkContext() { mbedtls_pk_init(&pk); }
  ~PkContext() { mbedtls_pk_free(&pk); }
  PkContext(const PkContext&) = delete;
  PkContext& operator=(const PkContext&) = delete;
  mbedtls_pk_context pk;
};

}  // namespace

// ---- public keys ----------------------------------------------------------------------------------------------------

struct PublicKey::Internal {
  KeyType type = KeyType::Rsa;
  PkContext rsa;
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> ed25519{};
};

PublicKey::PublicKey(std::unique_ptr<Internal> internal) : internal_(std::move(internal)) {}
PublicKey::~PublicKey() = default;
PublicKey::PublicKey(PublicKey&&) noexcept = default;
PublicKey& PublicKey::operator=(PublicKey&&) noexcept = default;
KeyType PublicKey::type() const { return internal_->type; }

std::expected<PublicKey, std::string> PublicKey::parse(KeyType type, std::string_view octets) {
  auto internal = std::make_unique<Internal>();
  internal->type = type;
  if (type == KeyType::Ed25519) {
    if (octets.size() != internal->ed25519.size()) return std::unexpected("a key of Ed25519 has 32 octets, not " + std::to_string(octets.size()));
    std::memcpy(internal->ed25519.data(), octets.data(), octets.size());
    return PublicKey(std::move(internal));
  }
  const int parsed = mbedtls_pk_parse_public_key(&internal->rsa.pk, octets_of(octets), octets.size());
  if (parsed != 0) return std::unexpected("it is no RSA key: " + mbedtls_text(parsed));
  if (mbedtls_pk_get_type(&internal->rsa.pk) != MBEDTLS_PK_RSA) return std::unexpected("it is a key of another kind");
  return PublicKey(std::move(internal));
}

unsigned PublicKey::bits() const {
  return internal_->type == KeyType::Ed25519 ? 256 : static_cast<unsigned>(mbedtls_pk_get_bitlen(&internal_->rsa.pk));
}

bool PublicKey::verifies(const Sha256& digest, std::string_view signature) const {
  if (internal_->type == KeyType::Ed25519)
    return signature.size() == crypto_sign_BYTES && crypto_sign_verify_detached(octets_of(signature), digest.data(), digest.size(), internal_->ed25519.data()) == 0;
  return mbedtls_pk_verify(&internal_->rsa.pk, MBEDTLS_MD_SHA256, digest.data(), digest.size(), octets_of(signature), signature.size()) == 0;
}

// ---- private keys ---------------------------------------------------------------------------------------------------

struct PrivateKey::Internal {
  KeyType type = KeyType::Rsa;
  PkContext rsa;
  mutable std::mutex mutex;  // RSA keeps its blinding values in the key
  std::array<unsigned char, kSeedOctets> seed{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret{};
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> known{};
  ~Internal() {
    sodium_memzero(seed.data(), seed.size());
    sodium_memzero(secret.data(), secret.size());
  }
  void take_seed(const unsigned char* octets) {
    type = KeyType::Ed25519;
    std::memcpy(seed.data(), octets, seed.size());
    crypto_sign_seed_keypair(known.data(), secret.data(), seed.data());
  }
};

PrivateKey::PrivateKey(std::unique_ptr<Internal> internal) : internal_(std::move(internal)) {}
PrivateKey::~PrivateKey() = default;
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
KeyType PrivateKey::type() const { return internal_->type; }
unsigned PrivateKey::bits() const { return internal_->type == KeyType::Ed25519 ? 256 : static_cast<unsigned>(mbedtls_pk_get_bitlen(&internal_->rsa.pk)); }

namespace {

// The seed, from PKCS #8 in PEM or base64 alone.
std::optional<std::string> ed25519_seed(std::string_view text) {
  std::string encoded;
  const auto begin = text.find(kPemBegin);
  const auto end = text.find(kPemEnd);
  const bool is_pem = begin != std::string_view::npos && end != std::string_view::npos && end > begin;
  for (const char c : is_pem ? text.substr(begin + kPemBegin.size(), end - begin - kPemBegin.size()) : text)
    if (c > ' ') encoded += c;
  auto octets = base::from_base64(encoded);
  if (!octets) return std::nullopt;
  const std::string_view prefix(reinterpret_cast<const char*>(kEd25519Prefix.data()), kEd25519Prefix.size());
  if (is_pem && octets->starts_with(prefix)) octets->erase(0, prefix.size());
  if (octets->size() != kSeedOctets) return std::nullopt;
  return octets;
}

}  // namespace

base::Result<PrivateKey> PrivateKey::parse(std::string_view text, const std::string& name) {
  auto internal = std::make_unique<Internal>();
  if (auto seed = ed25519_seed(text)) {
    internal->take_seed(octets_of(*seed));
    sodium_memzero(seed->data(), seed->size());
    return PrivateKey(std::move(internal));
  }
  std::string terminated(text);  // PEM is read as a C string
  const auto* octets = reinterpret_cast<const unsigned char*>(terminated.c_str());
#if MBEDTLS_VERSION_MAJOR >= 3
  const int parsed = mbedtls_pk_parse_key(&internal->rsa.pk, octets, terminated.size() + 1, nullptr, 0, Random::fill, &Random::shared());
#else
  const int parsed = mbedtls_pk_parse_key(&internal->rsa.pk, octets, terminated.size() + 1, nullptr, 0);
#endif
  sodium_memzero(terminated.data(), terminated.size());
  if (parsed != 0 || mbedtls_pk_get_type(&internal->rsa.pk) != MBEDTLS_PK_RSA)
    return base::fail(base::Fault::Config, name + ": no private key; expected: RSA or Ed25519 in PEM, or base64 of the seed of an Ed25519 key");
  return PrivateKey(std::move(internal));
}

base::Result<PrivateKey> PrivateKey::read(const std::string& file) {
  const base::UniqueFd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0) return base::fail_errno("open " + file, base::Fault::Config);
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) return base::fail(base::Fault::Config, file + ": everybody may read this private key; expected: mode 0640 or less");
  auto text = base::read_all(opened.get(), kMaxKeyFileOctets);
  if (!text) return base::fail_within(file, text.error());
  auto key = parse(*text, file);
  sodium_memzero(text->data(), text->size());
  return key;
}

base::Result<PrivateKey> PrivateKey::generate(KeyType type, unsigned rsa_bits) {
  auto internal = std::make_unique<Internal>();
  if (type == KeyType::Ed25519) {
    if (sodium_init() < 0) return base::fail(base::Fault::Temporary, "libsodium has no random numbers");
    std::array<unsigned char, kSeedOctets> seed{};
    randombytes_buf(seed.data(), seed.size());
    internal->take_seed(seed.data());
    sodium_memzero(seed.data(), seed.size());
    return PrivateKey(std::move(internal));
  }
  int made = mbedtls_pk_setup(&internal->rsa.pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
  if (made == 0) made = mbedtls_rsa_gen_key(mbedtls_pk_rsa(internal->rsa.pk), Random::fill, &Random::shared(), rsa_bits, 65537);
  if (made != 0) return base::fail(base::Fault::Temporary, "an RSA key of " + std::to_string(rsa_bits) + " bits: " + mbedtls_text(made));
  return PrivateKey(std::move(internal));
}

base::Result<std::string> PrivateKey::sign(const Sha256& digest) const {
  if (internal_->type == KeyType::Ed25519) {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, digest.data(), digest.size(), internal_->secret.data());
    return signature;
  }
  const std::lock_guard lock(internal_->mutex);
  std::array<unsigned char, MBEDTLS_PK_SIGNATURE_MAX_SIZE> signature{};
  std::size_t size = 0;
#if MBEDTLS_VERSION_MAJOR >= 3
  const int made = mbedtls_pk_sign(&internal_->rsa.pk, MBEDTLS_MD_SHA256, digest.data(), digest.size(), signature.data(), signature.size(), &size, Random::fill, &Random::shared());
#else
  const int made = mbedtls_pk_sign(&internal_->rsa.pk, MBEDTLS_MD_SHA256, digest.data(), digest.size(), signature.data(), &size, Random::fill, &Random::shared());
#endif
  if (made != 0) return base::fail(base::Fault::Temporary, "signing: " + mbedtls_text(made));
  return std::string(reinterpret_cast<const char*>(signature.data()), size);
}

base::Result<std::string> PrivateKey::to_pem() const {
  if (internal_->type == KeyType::Ed25519) {
    std::string octets(reinterpret_cast<const char*>(kEd25519Prefix.data()), kEd25519Prefix.size());
    octets.append(reinterpret_cast<const char*>(internal_->seed.data()), internal_->seed.size());
    return std::string(kPemBegin) + "\n" + base::to_base64(octets) + "\n" + std::string(kPemEnd) + "\n";
  }
  std::vector<unsigned char> pem(16 * 1024);
  const int written = mbedtls_pk_write_key_pem(&internal_->rsa.pk, pem.data(), pem.size());
  if (written != 0) return base::fail(base::Fault::Bug, "writing a key: " + mbedtls_text(written));
  return std::string(reinterpret_cast<const char*>(pem.data()));
}

base::Result<std::string> PrivateKey::public_octets() const {
  if (internal_->type == KeyType::Ed25519) return std::string(reinterpret_cast<const char*>(internal_->known.data()), internal_->known.size());
  std::vector<unsigned char> der(8 * 1024);
  const int size = mbedtls_pk_write_pubkey_der(&internal_->rsa.pk, der.data(), der.size());  // at the end of the room
  if (size < 0) return base::fail(base::Fault::Bug, "writing a key: " + mbedtls_text(size));
  return std::string(reinterpret_cast<const char*>(der.data() + der.size() - static_cast<std::size_t>(size)), static_cast<std::size_t>(size));
}

}  // namespace authn
