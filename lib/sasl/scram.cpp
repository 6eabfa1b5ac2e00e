// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677).
//   C: n,,n=user,r=CNONCE                            client-first-message
//   S: r=CNONCE+SNONCE,s=SALT,i=4096                 server-first-message
//   C: c=biws,r=CNONCE+SNONCE,p=PROOF                client-final-message
//   S: v=SIGNATURE                                   server-final-message
//   C: (empty)                                       SMTP has no data with its 235 (RFC 4954 section 4)
#include <algorithm>
#include <utility>

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/sasl/crypto.h"
#include "lib/sasl/gs2.h"
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

using base::text::consume;
using base::text::split_once;

// printable of RFC 5802 section 7.
bool is_nonce(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

class Scram final : public Exchange {
 public:
  Scram(const Facts& facts, bool is_bound) : is_bound_(is_bound), bindings_(facts.bindings) {}

  Move respond(std::string_view response) override {
    switch (std::exchange(awaits_, Awaits::Nothing)) {
      case Awaits::First: return take_first(response);
      case Awaits::Final: return take_final(response);
      case Awaits::Empty: return response.empty() ? ask(Question::Kind::Proven) : Move{};
      case Awaits::Nothing: break;
    }
    return {};
  }

  Move take_keys(ScramKeys keys) override {
    keys_ = std::move(keys);
    nonce_ += base::to_base64(random_octets(18));
    server_first_ = "r=" + nonce_ + ",s=" + base::to_base64(keys_.salt) + ",i=" + std::to_string(keys_.iterations);
    awaits_ = Awaits::Final;
    return {Move::Kind::Challenge, server_first_};
  }

 private:
  enum class Awaits : std::uint8_t { First, Final, Empty, Nothing };

  // client-first-message = gs2-header "n=" saslname ",r=" c-nonce ["," extensions]
  Move take_first(std::string_view message) {
    const std::string_view whole = message;
    const auto header = consume_gs2_header(message);
    if (!header || !is_binding_right(*header)) return {};
    gs2_header_ = whole.substr(0, whole.size() - message.size());
    client_first_bare_ = message;
    auto [name, rest] = split_once(message, ',');
    const auto nonce_field = split_once(rest, ',').first;
    std::string_view nonce = nonce_field;
    if (!consume(name, "n=") || !consume(nonce, "r=") || !is_nonce(nonce)) return {};  // "m=" asks for an extension that nobody knows
    auto raw_user = from_saslname(name);
    if (!raw_user) return {};
    nonce_ = nonce;
    auto user = prepared(*raw_user);
    auto acts_as = header->authorization.empty() ? std::string() : prepared(header->authorization);
    if (!user || !acts_as) return ask(Question::Kind::Disproven);
    question_.user = std::move(*user);
    question_.authorization = std::move(*acts_as);
    return ask(Question::Kind::Keys);
  }

  // A client that could bind, and was told that we cannot, has been lied to by somebody in between (section 6).
  [[nodiscard]] bool is_binding_right(const Gs2Header& header) {
    if (!is_bound_) return header.flag == 'n' || (header.flag == 'y' && bindings_.empty());
    const auto found = std::ranges::find(bindings_, header.binding_name, &ChannelBinding::name);
    if (header.flag != 'p' || found == bindings_.end()) return false;
    binding_ = found->octets;
    return true;
  }

  // client-final-message = "c=" base64 "," "r=" nonce ["," extensions] ",p=" base64
  Move take_final(std::string_view message) {
    const auto at = message.rfind(",p=");
    if (at == std::string_view::npos) return {};
    const auto without_proof = message.substr(0, at);
    auto proof = base::from_base64(message.substr(at + 3));
    auto [binding, rest] = split_once(without_proof, ',');
    auto nonce = split_once(rest, ',').first;
    if (!proof || !consume(binding, "c=") || !consume(nonce, "r=") || proof->size() != keys_.stored_key.size()) return {};
    const auto expected = base::to_base64(gs2_header_ + (is_bound_ ? binding_ : std::string()));
    if (binding != expected || nonce != nonce_) return ask(Question::Kind::Disproven);

    const std::string said = client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
    std::string client_key = hmac_sha256(keys_.stored_key, said);
    for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] = static_cast<char>(client_key[i] ^ (*proof)[i]);
    const bool is_right = is_equal_secret(sha256(client_key), keys_.stored_key);
    wipe(client_key);
    if (!is_right) return ask(Question::Kind::Disproven);
    awaits_ = Awaits::Empty;
    return {Move::Kind::Challenge, "v=" + base::to_base64(hmac_sha256(keys_.server_key, said))};
  }

  bool is_bound_;
  std::vector<ChannelBinding> bindings_;
  std::string binding_;  // the octets of that which the client has chosen
  Awaits awaits_ = Awaits::First;
  std::string gs2_header_, client_first_bare_, server_first_, nonce_;
  ScramKeys keys_;
};

}  // namespace

std::unique_ptr<Exchange> start_scram_sha_256(const Facts& facts) { return std::make_unique<Scram>(facts, false); }
std::unique_ptr<Exchange> start_scram_sha_256_plus(const Facts& facts) { return std::make_unique<Scram>(facts, true); }

}  // namespace sasl
