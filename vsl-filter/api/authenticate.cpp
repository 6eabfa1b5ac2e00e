// authenticate() (vsl.md appendix A): users by a program of the checkpassword interface. Whoever runs rules may not read the system's
// passwords and should not: a program that may (checkpassword-pam, one of Dovecot's, a script) says yes or no.
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/status.h"
#include "vsl-filter/services/command.h"
#include "vsl-filter/services/service.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

// RFC 4954 section 4.7.
Reply temporary_failure() { return {454, "4.7.0", "Temporary authentication failure"}; }

// "USER NUL PASSWORD NUL TIMESTAMP NUL" of descriptor 3; nothing when that cannot be said.
std::optional<std::string> secret_of(const Credentials& credentials) {
  if (credentials.id.contains('\0') || credentials.password.contains('\0')) return std::nullopt;
  std::string secret = credentials.id;
  secret += '\0';
  secret += credentials.password;
  secret.append(2, '\0');
  if (secret.size() > kMostSecretOctets) return std::nullopt;
  return secret;
}

Value status(Run& run, StatusKind kind, std::optional<Reply> reply = {}) { return value_of(run.heap(), Status{kind, std::move(reply), {}}); }

// Nobody has said no: the client shall come again, and the operator shall know.
Value failed(Run& run, const std::string& program, const std::string& why) {
  if (const Log& log = scene_of(run).site.log) log(LogLevel::Error, "authenticate: " + program + ": " + why);
  return status(run, StatusKind::Info, temporary_failure());
}

std::string end_text(const CommandEnd& end) {
  std::string text = end.code ? "exit code " + std::to_string(*end.code) : "killed by signal " + std::to_string(end.signal.value_or(0));
  const std::string said = end.errors.substr(0, end.errors.find('\n'));
  return said.empty() ? text : text + ": " + said;
}

Result authenticate(Run& run, Arguments) {
  auto session = session_at(run, Stage::Authenticate, "auth");
  if (!session) return pass_on(session);
  const auto& credentials = (*session)->connection.credentials;
  if (!credentials) return too_early("auth", Stage::Authenticate);
  if (credentials->kind != Credentials::Kind::Verify)
    return vsl::fail_api("authenticate() checks a name and a password: no `authpass` available in credentials of this type");
  const base::Settings& settings = scene_of(run).site.settings;
  const auto words = settings.words("auth.check_password");
  if (words.empty()) return vsl::fail_api("authenticate() needs a program that checks passwords: check_password in section [auth] of the configuration");
  auto secret = secret_of(*credentials);
  if (!secret) return status(run, StatusKind::Deny);

  Command command;
  command.program = words.front();
  command.timeout = std::chrono::milliseconds(settings.milliseconds("auth.check_password_timeout"));
  command.secret = *std::move(secret);
  const Waiting waiting(run);
  const auto end = run_command(command, std::span(words).subspan(1), {});
  if (!end) return failed(run, command.program, end.error().cause);
  constexpr int kUnacceptable = 1;
  if (end->code == 0) return status(run, StatusKind::Accept);
  if (end->code == kUnacceptable) return status(run, StatusKind::Deny);
  return failed(run, command.program, end_text(*end));
}

constexpr ApiRow kRows[] = {
    api<authenticate>("authenticate", "auth::unix_users", {}, only(Stage::Authenticate),
                      "asks the program auth.check_password (checkpassword interface) about the user: accept(), deny(), or 454 when it cannot tell", vsl::kMustUse | kGivesStatus),
};

}  // namespace

std::span<const ApiRow> authenticate_rows() { return kRows; }

}  // namespace rules
