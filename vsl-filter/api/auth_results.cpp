// Authentication-Results (RFC 8601) of all that was asked (vsl.md 5.4).
#include <algorithm>

#include "lib/base/text.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/authentication.h"
#include "vsl-filter/api/object.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Result add(Run& run, Arguments) {
  auto transaction = transaction_at(run, Stage::Mail, "auth_results::add");
  if (!transaction) return pass_on(transaction);
  auto added = add_results_field(run, *scene_of(run).session, authserv_id_of(scene_of(run).site), authn::method_results(findings_in(**transaction)));
  if (!added) return pass_on(added);
  return Value();
}

Result text(Run& run, Arguments) {
  auto transaction = transaction_at(run, Stage::Mail, "auth::create_header");
  if (!transaction) return pass_on(transaction);
  return run.string(authn::authentication_results(authserv_id_of(scene_of(run).site), authn::method_results(findings_in(**transaction)), false));
}

Result strip_named(Run& run, Arguments a) {
  auto message = message_at(run, "auth_results::strip");
  if (!message) return pass_on(message);
  return static_cast<std::int64_t>(strip_results((*message)->header(), name_argument(a[0])));
}

// Both names that functions here write.
Result strip(Run& run, Arguments) {
  auto message = message_at(run, "auth_results::strip");
  if (!message) return pass_on(message);
  const Site& site = scene_of(run).site;
  auto& header = (*message)->header();
  return static_cast<std::int64_t>(strip_results(header, authserv_id_of(site)) + strip_results(header, authserv_root_of(site)));
}

// The result of a method, the first that passed where there are several; ().
Result get(Run& run, Arguments a) {
  auto transaction = transaction_at(run, Stage::Mail, "auth_results::get");
  if (!transaction) return pass_on(transaction);
  const std::string method = base::text::to_lower(name_argument(a[0]));
  const std::string* found = nullptr;
  const auto results = authn::method_results(findings_in(**transaction));
  for (const auto& each : results)
    if (each.method == method && (found == nullptr || (*found != "pass" && each.result == "pass"))) found = &each.result;
  return found == nullptr ? Value() : run.string(*found);
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Mail);
constexpr ApiRow kRows[] = {
    api<add>("auth_results::add", "auth::add_header", {}, kFrom, "adds one Authentication-Results for all methods that were asked so far", kNoHandle),
    api<text>("auth_results::text", "auth::create_header", {}, kFrom, "what that field would say", vsl::kMustUse | kNoHandle),
    api<strip>("auth_results::strip", "", {}, from(Stage::Preq), "removes the fields Authentication-Results that claim to be ours; how many there were", kNoHandle),
    api<strip_named>("auth_results::strip", "", {Any}, from(Stage::Preq), "... of this name: auth_results::strip(\"mx.example.org\")", kNoHandle),
    api<get>("auth_results::get", "", {Any}, kFrom, "the result of a method that was asked: auth_results::get(\"dkim\") is \"pass\"; or ()", vsl::kMustUse | kNoHandle),
};

}  // namespace

std::span<const ApiRow> auth_results_rows() { return kRows; }

}  // namespace rules
