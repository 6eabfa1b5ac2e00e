#include "lib/sasl/stored_password.h"

#include <crypt.h>
#include <sodium.h>

#include <array>
#include <memory>

#include "lib/base/text.h"
#include "lib/sasl/cram_md5.h"
#include "lib/sasl/crypto.h"

namespace sasl {
namespace {

constexpr std::string_view kScram = "{SCRAM-SHA-256}", kPostgres = "SCRAM-SHA-256$", kPlain = "{PLAIN}", kArgon2 = "$argon2id$";
// Dovecot's names of forms whose hash says itself what it is.
constexpr std::string_view kNames[] = {"{CRYPT}", "{SHA256-CRYPT}", "{SHA512-CRYPT}", "{BLF-CRYPT}", "{ARGON2ID}"};

base::Error bad(std::string_view what) { return {base::Fault::Config, std::string(what)}; }

// crypt(3) says of its own hashes which it would make today: not DES, MD5 and the like. It looks at the begin only.
bool is_good_crypt(const std::string& hash) {
  constexpr std::size_t kLeastLetters = 40;
  if (hash.size() < kLeastLetters || hash.find_first_of(" :*!") != std::string::npos) return false;
  const int checked = ::crypt_checksalt(hash.c_str());
  return hash.starts_with('$') && (checked == CRYPT_SALT_OK || checked == CRYPT_SALT_TOO_CHEAP);
}

std::string crypt_of(std::string_view password, const std::string& setting) {
  const auto data = std::make_unique<crypt_data>();  // 32 KB
  std::string text(password);
  const char* hash = ::crypt_rn(text.c_str(), setting.c_str(), data.get(), sizeof *data);
  std::string result = hash != nullptr ? hash : "";
  ::explicit_bzero(data.get(), sizeof *data);
  wipe(text);
  return result;
}

}  // namespace

base::Result<StoredPassword> StoredPassword::parse(std::string_view text) {
  if (base::text::consume(text, kPlain)) {
    if (text.empty()) return std::unexpected(bad("an empty password"));
    return StoredPassword(Form::Plain, std::string(text));
  }
  if (text.starts_with(kScram) || text.starts_with(kPostgres)) {
    base::text::consume(text, kScram);
    auto keys = ScramKeys::parse(text);
    if (!keys) return std::unexpected(bad("keys that are none; expected: {SCRAM-SHA-256}ITERATIONS,SALT,STOREDKEY,SERVERKEY or SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY"));
    StoredPassword stored(Form::Scram, {});
    stored.keys_ = std::move(*keys);
    return stored;
  }
  for (const auto name : kNames)
    if (base::text::starts_with_ignoring_case(text, name)) text.remove_prefix(name.size());
  std::string hash(text);
  if (hash.starts_with(kArgon2)) {
    if (::crypto_pwhash_str_needs_rehash(hash.c_str(), crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) < 0)
      return std::unexpected(bad("a hash that begins as one of argon2id and is none"));
    return StoredPassword(Form::Argon2, std::move(hash));
  }
  if (!is_good_crypt(hash))
    return std::unexpected(bad("no hash of a form that is in use today; expected: one of crypt(3) such as $y$..., $6$... or $2b$..., $argon2id$..., {SCRAM-SHA-256}..., or {PLAIN}..."));
  return StoredPassword(Form::Crypt, std::move(hash));
}

bool StoredPassword::is(std::string_view password) const {
  switch (form_) {
    case Form::Crypt: return is_equal_secret(crypt_of(password, text_), text_);
    case Form::Argon2: return ::crypto_pwhash_str_verify(text_.c_str(), password.data(), password.size()) == 0;
    case Form::Scram: return keys_.are_of(password);
    case Form::Plain: break;
  }
  return is_equal_secret(password, text_);
}

bool StoredPassword::is_digest(std::string_view digest, std::string_view challenge) const {
  return form_ == Form::Plain && is_cram_md5_digest(digest, challenge, text_);
}

std::optional<ScramKeys> StoredPassword::scram_keys() const {
  if (form_ == Form::Scram) return keys_;
  if (form_ == Form::Plain) return ScramKeys::of(text_, random_octets(16));
  return std::nullopt;
}

base::Result<std::string> StoredPassword::hashed(std::string_view password) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (::crypt_gensalt_rn("$y$", 0, nullptr, 0, setting.data(), static_cast<int>(setting.size())) == nullptr) return base::fail_errno("crypt_gensalt");
  auto hash = crypt_of(password, setting.data());
  if (hash.empty() || hash.starts_with('*')) return base::fail(base::Fault::Bug, "crypt(3) makes no hash");
  return hash;
}

std::string StoredPassword::for_scram(std::string_view password, unsigned iterations) {
  return std::string(kScram) + ScramKeys::of(password, random_octets(16), iterations).text();
}

}  // namespace sasl
