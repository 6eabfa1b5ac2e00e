// DKIM signatures that a message has (vsl.md 3.11). Signing is in dkim_sign.cpp.
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/authentication.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/lang/json.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Expected<Transaction*> message_transaction(Run& run, std::string_view name) {
  auto message = message_at(run, name);
  if (!message) return pass_on(message);
  return transaction_at(run, Stage::Preq, name);
}

// All is done once: what the field says would stand there twice.
Result verify(Run& run, Arguments) {
  auto transaction = message_transaction(run, "verify_dkim");
  if (!transaction) return pass_on(transaction);
  auto findings = findings_in(**transaction);
  if (need_dkim(run, **transaction, findings)) {
    authn::Findings only;
    only.dkim = findings.dkim;
    if (auto added = add_results_field(run, *scene_of(run).session, authserv_root_of(scene_of(run).site), authn::method_results(only)); !added) return pass_on(added);
  }
  return finding_value(run, **transaction, "dkim");
}

Result result(Run& run, Arguments) {
  auto transaction = message_transaction(run, "dkim::result");
  if (!transaction) return pass_on(transaction);
  return finding_value(run, **transaction, "dkim");
}

Result has_result(Run& run, Arguments) {
  auto transaction = message_transaction(run, "dkim::has_result");
  if (!transaction) return pass_on(transaction);
  return (*transaction)->results.contains("dkim");
}

// A script that verifies by itself: what DMARC goes by then.
Result store(Run& run, Arguments a) {
  auto transaction = message_transaction(run, "dkim::store");
  if (!transaction) return pass_on(transaction);
  const Value* status = a[0].as_map().find("status");
  if (status == nullptr || !status->is_string()) return vsl::fail_api("dkim::store needs a map with `status`, as dkim::verify() gives it");
  std::string json;
  constexpr std::size_t kMostOctets = 65536;
  if (!vsl::json::write(json, a[0], 0, kMostOctets)) return vsl::fail_api("dkim::store: the map is too large");
  (*transaction)->results["dkim"] = std::move(json);
  return Value();
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Preq);
constexpr ApiRow kRows[] = {
    api<verify>("verify_dkim", "dkim_verify dkim::verify", {}, kFrom, "verifies the DKIM signatures and adds Authentication-Results: #{status, sdid, auid, signatures}", kWaits),
    api<result>("dkim::result", "", {}, kFrom, "what DKIM has said of this message; () if it was not asked", vsl::kMustUse | kNoHandle),
    api<has_result>("dkim::has_result", "", {}, kFrom, "whether the signatures were verified", vsl::kMustUse | kNoHandle),
    api<store>("dkim::store", "", {Map}, kFrom, "what DMARC shall go by: #{status: \"pass\", sdid: \"example.org\"}", kNoHandle),
};

}  // namespace

std::span<const ApiRow> dkim_rows() { return kRows; }

}  // namespace rules
