#include "lib/sasl/client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/text.h"
#include "lib/sasl/client_scram.h"
#include "lib/sasl/crypto.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

namespace text = base::text;

// message = [authzid] NUL authcid NUL passwd (RFC 4616)
class Plain final : public ClientExchange {
 public:
  explicit Plain(Login login) : login_(std::move(login)) {}
  std::optional<std::string> initial_response() override {
    is_said_ = true;
    return std::string(1, '\0') + login_.user + '\0' + login_.password;
  }
  std::optional<std::string> respond(std::string_view) override {
    if (std::exchange(is_said_, true)) return std::nullopt;
    return initial_response();
  }
  [[nodiscard]] bool may_succeed() const override { return is_said_; }

 private:
  Login login_;
  bool is_said_ = false;
};

// Two questions, whose words differ from server to server: first the user, then the password.
class LogIn final : public ClientExchange {
 public:
  explicit LogIn(Login login) : login_(std::move(login)) {}
  std::optional<std::string> respond(std::string_view) override {
    if (answered_ >= 2) return std::nullopt;
    return answered_++ == 0 ? login_.user : login_.password;
  }
  [[nodiscard]] bool may_succeed() const override { return answered_ == 2; }

 private:
  Login login_;
  int answered_ = 0;
};

constexpr auto kMechanisms = std::to_array<ClientMechanism>({
    {"SCRAM-SHA-256-PLUS", false, true},
    {"SCRAM-SHA-256", false, false},
    {"PLAIN", true, false},
    {"LOGIN", true, false},
});

bool has_word(std::string_view words, std::string_view wanted) {
  const auto all = text::split(words, ' ');
  return std::ranges::any_of(all, [&](std::string_view word) { return text::equal_ignoring_case(word, wanted); });
}

bool is_allowed(std::span<const std::string> allowed, std::string_view name) {
  return allowed.empty() || std::ranges::any_of(allowed, [&](const std::string& word) { return text::equal_ignoring_case(word, name); });
}

bool is_fit(const ClientMechanism& mechanism, const ClientFacts& facts) {
  if (mechanism.binds_channel && facts.bindings.empty()) return false;
  return !mechanism.shows_secret || facts.is_secured || facts.shows_secrets_in_clear;
}

}  // namespace

Login::~Login() { wipe(password); }

std::span<const ClientMechanism> client_mechanisms() { return kMechanisms; }

const ClientMechanism* choose_mechanism(std::string_view offered, std::span<const std::string> allowed, const ClientFacts& facts) {
  for (const auto& mechanism : kMechanisms)
    if (has_word(offered, mechanism.name) && is_allowed(allowed, mechanism.name) && is_fit(mechanism, facts)) return &mechanism;
  return nullptr;
}

std::unique_ptr<ClientExchange> begin_exchange(const ClientMechanism& mechanism, const Login& login, std::string_view offered, const ClientFacts& facts) {
  auto user = prepared(login.user), password = prepared(login.password);
  if (!user || !password) return nullptr;
  Login prepared_login(std::move(*user), std::move(*password));
  if (mechanism.name == "PLAIN") return std::make_unique<Plain>(std::move(prepared_login));
  if (mechanism.name == "LOGIN") return std::make_unique<LogIn>(std::move(prepared_login));
  ScramBinding binding;
  if (mechanism.binds_channel) {
    binding = {'p', facts.bindings.front()};
  } else if (!facts.bindings.empty() && !has_word(offered, "SCRAM-SHA-256-PLUS")) {
    binding.flag = 'y';  // RFC 5802 section 6: a server that has offered it knows that somebody has taken the offer away
  }
  return begin_scram_sha_256(std::move(prepared_login), std::move(binding));
}

}  // namespace sasl
