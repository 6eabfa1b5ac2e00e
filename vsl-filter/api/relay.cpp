// Who may relay (vsl.md 3.9).
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/status.h"
#include "vsl-filter/lang/run.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Reply relay_denied() { return {554, "5.7.1", "Relay access denied"}; }

Value next(Run& run) { return value_of(run.heap(), Status{}); }

bool is_own(Run& run, std::string_view address) {
  return scene_of(run).site.own_domains.contains(domain_key(trusted_address(address).domain()));
}

// Authenticated, or in `hosts`.
Expected<bool> may_relay(Run& run, const Connection& connection, const Value& hosts) {
  if (connection.is_authenticated) return true;
  return run.contains(hosts, run.string(connection.client_ip));
}

Result check_mail_relay(Run& run, Arguments a) {
  auto session = session_at(run, Stage::Mail, "check_mail_relay");
  if (!session) return pass_on(session);
  auto transaction = transaction_at(run, Stage::Mail, "check_mail_relay");
  if (!transaction) return pass_on(transaction);
  if (!is_own(run, (*transaction)->reverse_path)) return next(run);
  auto allowed = may_relay(run, (*session)->connection, a[0]);
  if (!allowed) return pass_on(allowed);
  if (*allowed) return next(run);
  return value_of(run.heap(), Status{StatusKind::Deny, relay_denied(), {}});
}

// A refusal that becomes the status of the stage removes the recipient (D-12).
Result check_rcpt_relay(Run& run, Arguments a) {
  auto session = session_at(run, Stage::Rcpt, "check_rcpt_relay");
  if (!session) return pass_on(session);
  auto transaction = transaction_at(run, Stage::Rcpt, "check_rcpt_relay");
  if (!transaction) return pass_on(transaction);
  auto& recipients = (*transaction)->recipients;
  if (recipients.size() == 0 || is_own(run, recipients.all().back().address)) return next(run);
  auto allowed = may_relay(run, (*session)->connection, a[0]);
  if (!allowed) return pass_on(allowed);
  if (*allowed) return next(run);
  return value_of(run.heap(), Status{StatusKind::Info, relay_denied(), {}});
}

// v1.1.0 had one name for both.
Result check_relay(Run& run, Arguments a) {
  return scene_of(run).stage == Stage::Mail ? check_mail_relay(run, a) : check_rcpt_relay(run, a);
}

using enum vsl::Type;
constexpr ApiRow kRows[] = {
    api<check_mail_relay>("check_mail_relay", "", {Any}, from(Stage::Mail), "refuses senders of this server's domains unless they authenticated or their address is in a group",
                          vsl::kMustUse),
    api<check_rcpt_relay>("check_rcpt_relay", "", {Any}, only(Stage::Rcpt), "refuses recipients of other domains unless the client authenticated or its address is in a group",
                          vsl::kMustUse),
    api<check_relay>("check_relay", "", {Any}, only(Stage::Mail) | only(Stage::Rcpt), "check_mail_relay in mail, check_rcpt_relay in rcpt", vsl::kMustUse),
};

}  // namespace

std::span<const ApiRow> relay_rows() { return kRows; }

}  // namespace rules
