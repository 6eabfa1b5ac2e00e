// Who may relay (vsl.md 3.9).
#include <algorithm>

#include "vsl-filter/api/api.h"
#include "vsl-filter/api/line_list.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/status.h"
#include "vsl-filter/lang/program.h"
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

// A function of the DNS family, as scripts call it.
Result ask_dns(Run& run, std::string_view function, Value argument) {
  const vsl::Overloads* overloads = run.program().natives().find("dns", function, 1);
  if (overloads == nullptr) return Value();
  return overloads->rows.front()->run(run, {&argument, 1});
}

bool has_names(const Value& hosts, int depth = 0) {
  constexpr int kDeepest = 16;
  if (depth > kDeepest) return false;
  const RuleObject* object = object_of(hosts);
  if (object != nullptr && object->kind == Kind::Fqdn) return true;
  if (object != nullptr && object->lines) return object->lines->type() == "fqdn" && object->lines->size() > 0;
  const Value& list = object != nullptr && object->kind == Kind::List ? object->elements : hosts;
  return list.is_array() && std::ranges::any_of(list.as_array(), [depth](const Value& one) { return has_names(one, depth + 1); });
}

// By the names of the address that lead back to it. What DNS does not say is no.
Expected<bool> has_name_in(Run& run, const std::string& ip, const Value& hosts) {
  const auto names = ask_dns(run, "rlookup", run.string(ip));
  if (!names || !names->is_array()) return false;
  for (const Value& name : names->as_array()) {
    auto fqdn = make_object("fqdn", name_argument(name));
    if (!fqdn) continue;
    auto is_known = run.contains(hosts, value_of(run.heap(), *std::move(fqdn)));
    if (!is_known) return is_known;
    if (!*is_known) continue;
    const auto addresses = ask_dns(run, "lookup", name);
    if (!addresses) continue;
    auto leads_back = run.contains(*addresses, run.string(ip));
    if (!leads_back || *leads_back) return leads_back;
  }
  return false;
}

// Authenticated, or in `hosts`: by address, or by a name that is in it (3.9).
Expected<bool> may_relay(Run& run, const Connection& connection, const Value& hosts) {
  if (connection.is_authenticated) return true;
  auto by_address = run.contains(hosts, run.string(connection.client_ip));
  if (!by_address || *by_address || !has_names(hosts)) return by_address;
  return has_name_in(run, connection.client_ip, hosts);
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
  if (scene_of(run).stage != Stage::Rcpt) return vsl::fail_api("`check_rcpt_relay` is about one recipient: it belongs to the stage `rcpt`");
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
                          vsl::kMustUse | kGivesStatus | kWaits),
    api<check_rcpt_relay>("check_rcpt_relay", "", {Any}, only(Stage::Rcpt), "refuses recipients of other domains unless the client authenticated or its address is in a group",
                          vsl::kMustUse | kGivesStatus | kWaits),
    api<check_relay>("check_relay", "", {Any}, only(Stage::Mail) | only(Stage::Rcpt), "check_mail_relay in mail, check_rcpt_relay in rcpt", vsl::kMustUse | kGivesStatus | kWaits),
};

}  // namespace

std::span<const ApiRow> relay_rows() { return kRows; }

}  // namespace rules
