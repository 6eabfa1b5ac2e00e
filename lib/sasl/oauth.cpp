// OAUTHBEARER (RFC 7628) and XOAUTH2, which was before it: a bearer token, and for whom.
#include "lib/base/text.h"
#include "lib/sasl/gs2.h"
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/prepare.h"

namespace sasl {
namespace {

constexpr char kSeparator = '\1';

// "Bearer", one blank or more, b64token of RFC 6750 section 2.1.
std::optional<std::string_view> token_of(std::string_view value) {
  const auto [scheme, rest] = base::text::split_once(value, ' ');
  if (!base::text::equal_ignoring_case(scheme, "Bearer")) return std::nullopt;
  const auto token = base::text::trim(rest);
  for (const char c : token)
    if (c <= ' ' || c > '~') return std::nullopt;
  return token.empty() ? std::nullopt : std::optional(token);
}

class Oauth : public Exchange {
 public:
  [[nodiscard]] std::optional<std::string> last_challenge() const override {
    if (question_.kind != Question::Kind::Token) return std::nullopt;
    return R"({"status":"invalid_token","schemes":"bearer"})";
  }

 protected:
  // Pairs "key=value", each ended by the separator, and one more of it (RFC 7628 section 3.1). Keys that nobody here knows, host and
  // port for example, are for others.
  Move take(std::string_view pairs) {
    if (!pairs.ends_with(kSeparator)) return {};
    pairs.remove_suffix(1);
    std::optional<std::string_view> token;
    while (!pairs.empty()) {
      const auto end = pairs.find(kSeparator);
      if (end == std::string_view::npos) return {};
      const auto pair = pairs.substr(0, end);
      pairs.remove_prefix(end + 1);
      if (pair.find('=') == std::string_view::npos || pair.find('\0') != std::string_view::npos) return {};
      const auto [key, value] = base::text::split_once(pair, '=');
      if (key == "user" && !take_user(value)) return {};
      if (key != "auth") continue;
      if (token) return {};
      token = token_of(value);
      if (!token) return {};
    }
    if (!token) return {};
    question_.secret = *token;
    return ask(Question::Kind::Token);
  }
  virtual bool take_user(std::string_view) { return true; }
};

class Oauthbearer final : public Oauth {
 public:
  Move respond(std::string_view response) override {
    const auto header = consume_gs2_header(response);
    if (!header || header->flag == 'p' || !response.starts_with(kSeparator)) return {};
    response.remove_prefix(1);
    if (!header->authorization.empty()) {
      auto user = prepared(header->authorization);
      if (!user) return {};
      question_.user = std::move(*user);
    }
    return take(response);
  }
};

class Xoauth2 final : public Oauth {
 public:
  Move respond(std::string_view response) override {
    if (!response.starts_with("user=")) return {};
    return take(response);
  }

 private:
  bool take_user(std::string_view value) override {
    auto user = prepared(value);
    if (!user || !question_.user.empty()) return false;
    question_.user = std::move(*user);
    return true;
  }
};

}  // namespace

std::unique_ptr<Exchange> start_oauthbearer(const Facts&) { return std::make_unique<Oauthbearer>(); }
std::unique_ptr<Exchange> start_xoauth2(const Facts&) { return std::make_unique<Xoauth2>(); }

}  // namespace sasl
