#include "lib/sasl/cram_md5.h"

#include <algorithm>
#include <chrono>

#include "lib/sasl/crypto.h"
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

constexpr std::size_t kDigestLetters = 32;

class CramMd5 final : public Exchange {
 public:
  explicit CramMd5(const Facts& facts) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    question_.challenge = "<" + to_hex(random_octets(16)) + "." + std::to_string(seconds) + "@" + facts.server_name + ">";
  }
  Move begin(std::optional<std::string_view> initial_response) override {
    if (initial_response) return {};  // the server begins
    return {Move::Kind::Challenge, question_.challenge};
  }
  // User name, a blank, the digest.
  Move respond(std::string_view response) override {
    const auto blank = response.rfind(' ');
    if (blank == std::string_view::npos || response.find('\0') != std::string_view::npos) return {};
    const auto digest = response.substr(blank + 1);
    const bool is_digest = digest.size() == kDigestLetters && std::ranges::all_of(digest, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (!is_digest) return {};
    auto user = prepared(response.substr(0, blank));
    if (!user) return ask(Question::Kind::Disproven);
    question_.user = std::move(*user);
    question_.secret = digest;
    return ask(Question::Kind::Digest);
  }
};

}  // namespace

bool is_cram_md5_digest(std::string_view digest, std::string_view challenge, std::string_view password) {
  return is_equal_secret(digest, to_hex(hmac_md5(password, challenge)));
}

std::unique_ptr<Exchange> start_cram_md5(const Facts& facts) { return std::make_unique<CramMd5>(facts); }

}  // namespace sasl
