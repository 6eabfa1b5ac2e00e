// ARC chains (vsl.md 5.4, RFC 8617): what those found out who had a message before us.
#include "lib/authn/signing.h"
#include "lib/base/text.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/authentication.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/signing_keys.h"
#include "vsl-filter/services/facilities.h"

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

Result verify(Run& run, Arguments) {
  auto transaction = message_transaction(run, "arc::verify");
  if (!transaction) return pass_on(transaction);
  auto findings = findings_in(**transaction);
  (void)need_arc(run, **transaction, findings);
  return finding_value(run, **transaction, "arc");
}

// A chain says what its sealers say: each of them has to be trusted.
Result trusted(Run& run, Arguments a) {
  auto transaction = message_transaction(run, "arc::trusted");
  if (!transaction) return pass_on(transaction);
  auto findings = findings_in(**transaction);
  (void)need_arc(run, **transaction, findings);
  if (findings.arc->result != authn::arc::Result::Pass || findings.arc->sealers.empty()) return false;
  for (const auto& sealer : findings.arc->sealers) {
    auto is_known = run.contains(a[0], run.string(sealer));
    if (!is_known) return pass_on(is_known);
    if (!*is_known) return false;
  }
  return true;
}

// The three fields of the new set, the lowest first: each is put on top.
Expected<void> put_on_top(HeaderList& header, std::string_view fields) {
  std::vector<std::string_view> each;
  while (!fields.empty()) {
    std::size_t end = fields.find("\r\n");
    while (end + 2 < fields.size() && (fields[end + 2] == ' ' || fields[end + 2] == '\t')) end = fields.find("\r\n", end + 2);
    each.push_back(fields.substr(0, end));
    fields.remove_prefix(end + 2);
  }
  for (auto field = each.rbegin(); field != each.rend(); ++field) {
    const auto [name, body] = base::text::split_once(*field, ':');
    if (const auto added = header.prepend(name, body.starts_with(' ') ? body.substr(1) : body); !added) return fail_with(added.error());
  }
  return {};
}

struct Order {
  authn::Signer::Key key;
  authn::arc::SealOptions options;
};

Expected<Order> order_of(Run& run, const Message& message, const vsl::Map& given) {
  std::string domain;
  for (const auto& [key, value] : given.entries()) {
    const auto name = key.as_text();
    if (name == "domain" || name == "sdid") domain = name_argument(value);
    else if (name != "selector" && name != "private_key") return vsl::fail_api("arc::seal has no option '" + std::string(name) + "'; there are: selector, private_key, domain");
  }
  // A seal is ours, whoever wrote the message.
  const Site& site = scene_of(run).site;
  if (domain.empty()) domain = site.settings.text("dkim.domain").empty() ? site.domain : site.settings.text("dkim.domain");
  auto signer = configured_signer(run, message, domain);
  if (!signer) return pass_on(signer);
  Order order;
  if (!signer->keys.empty()) order.key = signer->keys.front();
  order.options.domain = signer->options.domain;
  order.options.headers = signer->options.headers;
  if (const Value* selector = given.find("selector")) order.key.selector = name_argument(*selector);
  if (const Value* file = given.find("private_key")) order.key.file = name_argument(*file);
  if (order.key.file.empty() || order.key.selector.empty()) return no_keys(order.options.domain);
  order.options.selector = order.key.selector;
  return order;
}

// The message as it is now, with the chain as it came. False: the chain is full or given up.
Result seal_with(Run& run, const vsl::Map& given) {
  auto transaction = message_transaction(run, "arc::seal");
  if (!transaction) return pass_on(transaction);
  const Site& site = scene_of(run).site;
  auto& message = *(*transaction)->message;
  auto order = order_of(run, message, given);
  if (!order) return pass_on(order);
  auto key = site.facilities->keys().get(order->key.file);
  if (!key) return fail_with(key.error());

  const auto came = authn::index_for_authentication(message.octets());
  const auto options = verify_options_of(site);
  const auto chain = authn::arc::verify(came, look_up_of(run), options);
  auto findings = findings_in(**transaction);
  findings.arc = authn::finding_of(chain);
  (*transaction)->results["arc"] = authn::to_json(*findings.arc);
  order->options.authentication_results = authn::authentication_results(authserv_id_of(site), authn::method_results(findings));
  order->options.now = options.now;

  const auto blob = message.finish({});
  if (!blob) return fail_with(blob.error());
  const auto view = blob->view();
  if (!view) return fail_with(view.error());
  const auto fields = authn::arc::seal(authn::index_for_authentication(view->octets()), chain, **key, order->options);
  if (!fields) return fail_with(fields.error());
  if (!*fields) return false;
  if (auto put = put_on_top(message.header(), **fields); !put) return pass_on(put);
  return true;
}

Result seal_by_map(Run& run, Arguments a) { return seal_with(run, a[0].as_map()); }

Result seal(Run& run, Arguments) {
  const Value none = run.heap().map();
  return seal_with(run, none.as_map());
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Preq);
constexpr ApiRow kRows[] = {
    api<verify>("arc::verify", "arc_verify", {}, kFrom, "what the ARC chain of the message is worth: #{status, instance, oldest_pass, sealers}", vsl::kMustUse | kWaits),
    api<seal>("arc::seal", "arc_seal", {}, kFrom, "adds a set to the chain with all that was found out, sealed with the first key of [dkim]; false: the chain takes none", kWaits),
    api<seal_by_map>("arc::seal", "arc_seal", {Map}, kFrom, "the same with #{selector, private_key, domain}", kWaits),
    api<trusted>("arc::trusted", "", {Any}, kFrom, "whether the chain holds and all who sealed it are in this group or array", vsl::kMustUse | kNoHandle | kWaits),
};

}  // namespace

std::span<const ApiRow> arc_rows() { return kRows; }

}  // namespace rules
