#include "vsl-filter/serving/credentials.h"

#include <algorithm>
#include <array>

#include "lib/chain/policy.h"
#include "lib/sasl/cram_md5.h"
#include "lib/sasl/crypto.h"
#include "lib/sasl/mechanisms.h"
#include "lib/sasl/prepare.h"

namespace rules {
namespace {

using Kind = Credentials::Kind;

struct KindRow {
  std::string_view name;    // auth_kind
  Kind kind;
  std::string_view secret;  // the attribute that has what the client has shown
};
constexpr auto kKinds = std::to_array<KindRow>({
    {"password", Kind::Verify, "auth_password"},
    {"token", Kind::Verify, "auth_token"},
    {"digest", Kind::Query, ""},
    {"keys", Kind::Query, ""},
    {"identity", Kind::Query, ""},
    {"anonymous", Kind::AnonymousToken, ""},
});

constexpr std::string_view kYes = "OK", kNobodyKnows = "DUNNO", kNo = "535 5.7.8 Authentication credentials invalid";

// packet(): whether it is the right one, or the keys that go with it.
void answer_with_secret(std::string& out, const Attribute& attribute, const std::string& secret) {
  const auto kind = attribute("auth_kind");
  const auto password = sasl::prepared(secret);
  if (kind == "digest") {
    const bool is_right = sasl::is_cram_md5_digest(attribute("auth_digest"), attribute("auth_challenge"), password.value_or(secret));
    chain::append_policy(out, "action", is_right ? kYes : kNo);
  } else if (kind == "keys" && password) {
    chain::append_policy(out, "action", kYes);
    chain::append_policy(out, "keys", sasl::ScramKeys::of(*password, sasl::random_octets(16)).text());
  } else {
    chain::append_policy(out, "action", kNo);
  }
}

bool is_yes(const Skip& status) { return status.kind == Skip::Kind::Accept || status.kind == Skip::Kind::Faccept; }

}  // namespace

Credentials credentials_of(std::string_view method, std::string_view user) {
  using Asks = sasl::Question::Kind;
  const auto* mechanism = sasl::find_mechanism(method);
  const auto asks = mechanism == nullptr ? Asks::Keys : mechanism->asks;
  const auto kind = asks == Asks::Trace ? Kind::AnonymousToken : asks == Asks::Password || asks == Asks::Token ? Kind::Verify : Kind::Query;
  return {kind, std::string(user), {}};
}

std::optional<Credentials> credentials_asked(const Attribute& attribute) {
  const auto row = std::ranges::find(kKinds, attribute("auth_kind"), &KindRow::name);
  if (row == kKinds.end()) return std::nullopt;
  return Credentials{row->kind, std::string(attribute("auth_user")), row->secret.empty() ? std::string() : std::string(attribute(row->secret))};
}

std::string answer_at_auth(const Attribute& attribute, const StageResult& result, const std::optional<Reply>& reply) {
  std::string out;
  const auto& status = result.status;
  const auto kind = attribute("auth_kind");
  if (!result.secret.empty()) {
    answer_with_secret(out, attribute, result.secret);
  } else if (result.was_skipped || status.kind == Skip::Kind::Next || status.kind == Skip::Kind::None || status.kind == Skip::Kind::Quarantine) {
    chain::append_policy(out, "action", kNobodyKnows);  // an earlier stage has said nothing about passwords
  } else if (is_yes(status) && (kind == "digest" || kind == "keys")) {
    chain::append_policy(out, "action", kNo);  // without the password nobody can be believed
  } else if (is_yes(status)) {
    chain::append_policy(out, "action", kYes);
    if (reply) chain::append_policy(out, "reply", reply->words());
  } else {
    chain::append_policy(out, "action", reply ? reply->words() : kNo);
  }
  return out;
}

}  // namespace rules
