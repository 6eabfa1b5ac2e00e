// ctx.run() and ctx.flow() of v3, for scripts whose stages are functions on_STAGE(ctx) (vsl.md 2.2).
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/values.h"
#include "vsl-filter/lang/run.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Result run_list(Run& run, const Value& directives) {
  InnerRules* rules = scene_of(run).inner_rules;
  if (rules == nullptr) return vsl::fail_api("`run` belongs to a stage: it cannot be used while the rules are being loaded");
  return rules->run_directives(directives);
}

// ctx.run([ rule "a" |ctx| next() ])
Result run_rules(Run& run, Arguments a) { return run_list(run, a[1]); }

// The value of the domain: of itself, or of the longest domain above it.
const Value* of_domain(const vsl::Map& map, std::string_view domain) {
  const std::string key = domain_key(domain);
  for (std::string_view rest = key; !rest.empty();) {
    for (const auto& [name, value] : map.entries())
      if (domain_key(name.as_text()) == rest) return &value;
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos) return nullptr;
    rest.remove_prefix(dot + 1);
  }
  return nullptr;
}

// ctx.run(#{ "example.org": [ ... ] }, domain)
Result run_rules_of_domain(Run& run, Arguments a) {
  if (a[2].is_unit()) return Value();
  const Value* directives = of_domain(a[1].as_map(), name_argument(a[2]));
  if (directives == nullptr) return Value();
  if (!directives->is_array()) return vsl::fail_api("ctx.run: the rules of a domain must be an array of directives");
  return run_list(run, *directives);
}

// From whom to whom the mail goes, as far as the stage knows: #{type, domain}. `ours` is the map of our domains.
Result flow(Run& run, Arguments a) {
  auto transaction = transaction_at(run, Stage::Mail, "flow");
  if (!transaction) return pass_on(transaction);
  const vsl::Map& ours = a[1].as_map();
  const std::string sender(trusted_address((*transaction)->reverse_path).domain());
  const auto recipients = (*transaction)->recipients.all();
  const std::string recipient(recipients.empty() ? std::string_view() : trusted_address(recipients.back().address).domain());
  const bool is_senders = of_domain(ours, sender) != nullptr, is_recipients = of_domain(ours, recipient) != nullptr;
  const bool is_local = is_senders && domain_key(sender) == domain_key(recipient);
  Value value = run.heap().map();
  vsl::Map& map = value.map_for_write(run.heap());
  map.set("type", run.string(is_local ? "local" : is_senders ? "outbound" : "inbound"));
  map.set("domain", is_senders ? run.string(sender) : is_recipients ? run.string(recipient) : Value());
  return value;
}

using enum vsl::Type;
constexpr std::uint16_t kFlags = kNoHandle | vsl::kCalls;
constexpr ApiRow kRows[] = {
    api<run_rules>("run", "", {kContextClass, Array}, kEvery, "in a hook of v3: runs these directives; their status, or () if there are none", kFlags | kGivesStatus),
    api<run_rules_of_domain>("run", "", {kContextClass, Map, Any}, kEvery, "... those of a domain, or of the domain above it: ctx.run(#{\"example.org\": [...]}, domain)",
                             kFlags | kGivesStatus),
    api<flow>("flow", "", {kContextClass, Map}, from(Stage::Mail),
              "whose mail it is, by the map of our domains: #{type: \"inbound\" \"outbound\" or \"local\", domain}", kNoHandle),
};

}  // namespace

std::span<const ApiRow> hook_rows() { return kRows; }

}  // namespace rules
