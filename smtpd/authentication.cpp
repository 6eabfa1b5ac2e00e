#include "smtpd/authentication.h"

#include <algorithm>

#include "lib/chain/check_password.h"

namespace smtpd {
namespace {

using Kind = sasl::Question::Kind;

constexpr std::size_t kMostTokenOctets = 16'384;  // more than a line of AUTH holds

base::Error bad(std::string cause) { return {base::Fault::Config, std::move(cause)}; }

std::string known_mechanisms() {
  std::string names;
  for (const auto& mechanism : sasl::all_mechanisms()) names.append(" ").append(mechanism.name);
  return names;
}

std::string_view verifiers_for(Kind kind) {
  switch (kind) {
    case Kind::Password: return "auth.password_file, auth.check_password or a policy with auth=";
    case Kind::Digest: return "auth.password_file with {PLAIN} passwords, auth.check_password or a policy with auth=";
    case Kind::Keys: return "auth.password_file with {SCRAM-SHA-256} or {PLAIN} passwords, or a policy with auth=";
    case Kind::Token: return "auth.check_token or a policy with auth=";
    default: return "";
  }
}

base::Result<void> add_mechanisms(AuthenticationConfiguration& configuration, const std::vector<std::string>& names, bool is_given, bool asks_policies) {
  for (const auto& name : names) {
    const auto* mechanism = sasl::find_mechanism(name);
    if (mechanism == nullptr) return std::unexpected(bad("auth.mechanisms: unknown mechanism '" + name + "'; expected:" + known_mechanisms()));
    const bool needs_nobody = mechanism->asks == Kind::Identity || mechanism->asks == Kind::Trace;
    if (needs_nobody || asks_policies || configuration.can_check(mechanism->asks)) {
      configuration.mechanisms.push_back(mechanism);
    } else if (is_given) {
      return std::unexpected(bad("auth.mechanisms: nobody can check who uses " + std::string(mechanism->name) + "; expected: " + std::string(verifiers_for(mechanism->asks))));
    }
  }
  return {};
}

CheckAnswer answer_of(base::Result<bool> is_right) {
  if (!is_right) return {CheckAnswer::Kind::Failed, {}, std::move(is_right.error().cause)};
  return {*is_right ? CheckAnswer::Kind::Right : CheckAnswer::Kind::Wrong};
}

CheckAnswer ask_table(const sasl::PasswordTable& table, const sasl::Question& question) {
  switch (question.kind) {
    case Kind::Password: return answer_of(table.is_password(question.user, question.secret));
    case Kind::Digest: return answer_of(table.is_digest(question.user, question.secret, question.challenge));
    case Kind::Keys: {
      auto keys = table.scram_keys(question.user);
      const auto kind = keys ? CheckAnswer::Kind::Right : CheckAnswer::Kind::Wrong;
      return {kind, std::move(keys)};
    }
    default: return {};
  }
}

}  // namespace

base::Result<AuthenticationConfiguration> AuthenticationConfiguration::from(const base::Settings& settings, bool asks_policies) {
  AuthenticationConfiguration made;
  made.in_clear = settings.flag("auth.allow_plaintext");
  made.is_required_of_all = settings.text("auth.required") == "all";
  made.is_required_of_submission = settings.text("auth.required") != "no";
  made.check_password = settings.words("auth.check_password");
  made.check_token = settings.words("auth.check_token");
  made.check_timeout = std::chrono::milliseconds(settings.milliseconds("auth.check_password_timeout"));
  made.checks = settings.count("auth.check_max");
  made.failure_delay = settings.milliseconds("auth.failure_delay");
  made.failure_delay_max = settings.milliseconds("auth.failure_delay_max");
  made.failure_max = static_cast<unsigned>(settings.count("auth.failure_max"));
  if (const auto& path = settings.text("auth.password_file"); !path.empty()) {
    made.file = std::make_shared<sasl::PasswordFile>(path);
    if (const auto table = made.file->table(); !table) return std::unexpected(bad("auth.password_file: " + table.error().cause));
  }
  const auto added = add_mechanisms(made, settings.words("auth.mechanisms"), settings.is_given("auth.mechanisms"), asks_policies);
  if (!added) return std::unexpected(added.error());
  if (made.is_required_of_all && made.mechanisms.empty())
    return std::unexpected(bad("auth.required = all: nobody could authenticate; expected: " + std::string(verifiers_for(Kind::Password))));
  return made;
}

bool AuthenticationConfiguration::can_check(Kind kind) const {
  switch (kind) {
    case Kind::Password:
    case Kind::Digest: return file != nullptr || !check_password.empty();
    case Kind::Keys: return file != nullptr;
    case Kind::Token: return !check_token.empty();
    default: return false;
  }
}

std::uint64_t AuthenticationConfiguration::delay_of(unsigned failure) const {
  constexpr unsigned kMostDoublings = 20;
  return std::min(failure_delay_max, failure_delay << std::min(failure - 1, kMostDoublings));
}

CheckAnswer check(const AuthenticationConfiguration& configuration, const sasl::Question& question) {
  CheckAnswer answer;
  const bool is_token = question.kind == Kind::Token;
  if (configuration.file != nullptr && !is_token) {
    const auto table = configuration.file->table();
    answer = table ? ask_table(**table, question) : CheckAnswer{CheckAnswer::Kind::Failed, {}, table.error().cause};
    if (answer.kind == CheckAnswer::Kind::Right || question.kind == Kind::Keys) return answer;
  }
  const auto& program = is_token ? configuration.check_token : configuration.check_password;
  if (program.empty()) return answer;
  const chain::PasswordCheck asked{question.user, question.secret, question.challenge, is_token ? kMostTokenOctets : chain::PasswordCheck{}.octets_max};
  auto said = answer_of(chain::check_password(program, configuration.check_timeout, asked));
  // A file that cannot be read might have said yes.
  return said.kind == CheckAnswer::Kind::Wrong && answer.kind == CheckAnswer::Kind::Failed ? answer : said;
}

}  // namespace smtpd
