// authenticate() (vsl.md appendix A): users by a program of the checkpassword interface. Whoever runs rules may not read the system's
// passwords and should not: a program that may (checkpassword-pam, one of Dovecot's, a script) says yes or no.
#include "lib/chain/check_password.h"
#include "vsl-filter/api/needs.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/status.h"
#include "vsl-filter/services/service.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

// RFC 4954 section 4.7.
Reply temporary_failure() { return {454, "4.7.0", "Temporary authentication failure"}; }

Value status(Run& run, StatusKind kind, std::optional<Reply> reply = {}) { return value_of(run.heap(), Status{kind, std::move(reply), {}}); }

// Nobody has said no: the client shall come again, and the operator shall know.
Value failed(Run& run, const std::string& why) {
  if (const Log& log = scene_of(run).site.log) log(LogLevel::Error, "authenticate: " + why);
  return status(run, StatusKind::Info, temporary_failure());
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
  const Waiting waiting(run);
  const auto is_right = chain::check_password(words, std::chrono::milliseconds(settings.milliseconds("auth.check_password_timeout")), {credentials->id, credentials->password});
  if (!is_right) return failed(run, is_right.error().cause);
  return status(run, *is_right ? StatusKind::Accept : StatusKind::Deny);
}

constexpr ApiRow kRows[] = {
    api<authenticate>("authenticate", "auth::unix_users", {}, only(Stage::Authenticate),
                      "asks the program auth.check_password (checkpassword interface) about the user: accept(), deny(), or 454 when it cannot tell", vsl::kMustUse | kGivesStatus | kWaits | kStarts),
};

}  // namespace

std::span<const ApiRow> authenticate_rows() { return kRows; }

}  // namespace rules
