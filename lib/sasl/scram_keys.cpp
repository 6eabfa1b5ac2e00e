#include "lib/sasl/scram_keys.h"

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/sasl/crypto.h"

namespace sasl {
namespace {

constexpr std::string_view kPostgres = "SCRAM-SHA-256$";
constexpr std::size_t kKeyOctets = 32, kSaltOctets = 16, kMostSaltOctets = 255;
constexpr unsigned kMostIterations = 10'000'000;  // what a slip of the pen would cost at every log-in

std::optional<ScramKeys> from_fields(std::string_view iterations, std::string_view salt, std::string_view stored_key, std::string_view server_key) {
  const auto count = base::text::parse_number<unsigned>(iterations);
  auto salt_octets = base::from_base64(salt), stored = base::from_base64(stored_key), server = base::from_base64(server_key);
  if (!count || *count == 0 || *count > kMostIterations || !salt_octets || !stored || !server) return std::nullopt;
  if (salt_octets->empty() || salt_octets->size() > kMostSaltOctets || stored->size() != kKeyOctets || server->size() != kKeyOctets) return std::nullopt;
  return ScramKeys{*count, std::move(*salt_octets), std::move(*stored), std::move(*server)};
}

}  // namespace

ScramKeys ScramKeys::of(std::string_view prepared_password, std::string_view salt, unsigned iterations) {
  std::string salted = hi_sha256(prepared_password, salt, iterations);
  ScramKeys keys{iterations, std::string(salt), sha256(hmac_sha256(salted, "Client Key")), hmac_sha256(salted, "Server Key")};
  wipe(salted);
  return keys;
}

std::optional<ScramKeys> ScramKeys::parse(std::string_view text) {
  if (base::text::consume(text, kPostgres)) {
    const auto [front, back] = base::text::split_once(text, '$');
    const auto [iterations, salt] = base::text::split_once(front, ':');
    const auto [stored_key, server_key] = base::text::split_once(back, ':');
    return from_fields(iterations, salt, stored_key, server_key);
  }
  const auto fields = base::text::split(text, ',');
  if (fields.size() != 4) return std::nullopt;
  return from_fields(fields[0], fields[1], fields[2], fields[3]);
}

std::string ScramKeys::text() const {
  return std::to_string(iterations) + ',' + base::to_base64(salt) + ',' + base::to_base64(stored_key) + ',' + base::to_base64(server_key);
}

bool ScramKeys::are_of(std::string_view prepared_password) const {
  const auto others = of(prepared_password, salt, iterations);
  return is_equal_secret(others.stored_key, stored_key) && is_equal_secret(others.server_key, server_key);
}

ScramKeys ScramKeys::of_nobody(std::string_view user, std::string_view secret) {
  return {kIterations, hmac_sha256(secret, "salt " + std::string(user)).substr(0, kSaltOctets), random_octets(kKeyOctets), random_octets(kKeyOctets)};
}

}  // namespace sasl
