#include "lib/sasl/client_scram.h"

#include <utility>

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/sasl/crypto.h"

namespace sasl {
namespace {

using base::text::consume;
using base::text::split_once;

// A server that asks for more of the arithmetic wants to keep us busy.
constexpr unsigned kMostIterations = 1'000'000;

// saslname of RFC 5802 section 7.
std::string saslname(std::string_view name) {
  std::string text;
  for (const char c : name) text += c == ',' ? "=2C" : c == '=' ? "=3D" : std::string(1, c);
  return text;
}

class Scram final : public ClientExchange {
 public:
  Scram(Login login, ScramBinding binding, std::string nonce) : login_(std::move(login)), binding_(std::move(binding.channel.octets)), nonce_(std::move(nonce)) {
    gs2_header_ = binding.flag == 'p' ? "p=" + binding.channel.name + ",," : std::string(1, binding.flag) + ",,";
    if (nonce_.empty()) nonce_ = base::to_base64(random_octets(18));
    first_bare_ = "n=" + saslname(login_.user) + ",r=" + nonce_;
  }

  std::optional<std::string> initial_response() override {
    awaits_ = Awaits::First;
    return gs2_header_ + first_bare_;
  }

  std::optional<std::string> respond(std::string_view challenge) override {
    switch (std::exchange(awaits_, Awaits::Nothing)) {
      case Awaits::Begin: return initial_response();
      case Awaits::First: return take_first(challenge);
      case Awaits::Final: return take_final(challenge);
      case Awaits::Nothing: break;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool may_succeed() const override { return is_proven_; }

 private:
  enum class Awaits : std::uint8_t { Begin, First, Final, Nothing };

  // server-first-message = [reserved-mext ","] nonce "," salt "," iteration-count ["," extensions]
  std::optional<std::string> take_first(std::string_view message) {
    auto [nonce, rest] = split_once(message, ',');
    auto [salt_text, more] = split_once(rest, ',');
    auto iterations_text = split_once(more, ',').first;
    if (!consume(nonce, "r=") || !consume(salt_text, "s=") || !consume(iterations_text, "i=")) return std::nullopt;
    const auto salt = base::from_base64(salt_text);
    const auto iterations = base::text::parse_number<unsigned>(iterations_text);
    // Its own nonce must stand behind ours, or an old answer could be played back.
    if (!nonce.starts_with(nonce_) || nonce.size() == nonce_.size() || !salt || salt->empty()) return std::nullopt;
    if (!iterations || *iterations < 1 || *iterations > kMostIterations) return std::nullopt;

    const std::string without_proof = "c=" + base::to_base64(gs2_header_ + binding_) + ",r=" + std::string(nonce);
    const std::string said = first_bare_ + "," + std::string(message) + "," + without_proof;
    std::string salted = hi_sha256(login_.password, *salt, *iterations);
    std::string client_key = hmac_sha256(salted, "Client Key");
    const std::string signature = hmac_sha256(sha256(client_key), said);
    std::string proof = client_key;
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
    expected_ = hmac_sha256(hmac_sha256(salted, "Server Key"), said);
    wipe(salted);
    wipe(client_key);
    awaits_ = Awaits::Final;
    return without_proof + ",p=" + base::to_base64(proof);
  }

  // server-final-message = (server-error / verifier) ["," extensions]
  std::optional<std::string> take_final(std::string_view message) {
    auto verifier = split_once(message, ',').first;
    if (!consume(verifier, "v=")) return std::nullopt;
    const auto signature = base::from_base64(verifier);
    is_proven_ = signature && is_equal_secret(*signature, expected_);
    if (!is_proven_) return std::nullopt;
    return std::string();  // SMTP has no data with its 235 (RFC 4954 section 4)
  }

  Login login_;
  std::string binding_, nonce_, gs2_header_, first_bare_, expected_;
  Awaits awaits_ = Awaits::Begin;
  bool is_proven_ = false;
};

}  // namespace

std::unique_ptr<ClientExchange> begin_scram_sha_256(Login login, ScramBinding binding, std::string nonce) {
  return std::make_unique<Scram>(std::move(login), std::move(binding), std::move(nonce));
}

}  // namespace sasl
