// Signing messages with DKIM (vsl.md 3.11): with keys that a script names, else with those of the configuration.
#include <algorithm>

#include "lib/authn/signing.h"
#include "lib/base/text.h"
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/authentication.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/signing_keys.h"
#include "vsl-filter/services/facilities.h"
#include "vsl-filter/transaction/signing.h"

namespace rules {

using authn::dkim::SignOptions;
using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

Expected<std::vector<std::string>> texts_of(std::string_view name, const Value& value) {
  std::vector<std::string> texts;
  if (!value.is_array()) {
    texts.push_back(name_argument(value));
    return texts;
  }
  for (const Value& one : value.as_array()) {
    if (!one.is_string() && object_of(one) == nullptr) return vsl::fail_api("dkim::sign: '" + std::string(name) + "' is a text or an array of texts");
    texts.push_back(name_argument(one));
  }
  return texts;
}

// What a script asks for, over what is configured.
struct Order {
  authn::Signer signer;
  bool adds_field = true;
};

// The keys of members `selector` and `private_key`; what is not given is the configuration's.
Expected<void> take_keys(Order& order, const vsl::Map& given) {
  const Value *selector = given.find("selector"), *key = given.find("private_key");
  if (selector == nullptr && key == nullptr) return {};
  auto& keys = order.signer.keys;
  std::vector<std::string> files;
  if (key != nullptr) {
    auto named = texts_of("private_key", *key);
    if (!named) return std::unexpected(std::move(named.error()));
    files = std::move(*named);
  } else {
    for (const auto& each : keys) files.push_back(each.file);
  }
  std::vector<std::string> selectors;
  if (selector != nullptr) {
    auto named = texts_of("selector", *selector);
    if (!named) return std::unexpected(std::move(named.error()));
    selectors = std::move(*named);
  } else {
    for (const auto& each : keys) selectors.push_back(each.selector);
  }
  // Of a configured domain with several keys, one selector picks the key that has it.
  if (key == nullptr && selectors.size() == 1)
    for (const auto& each : keys)
      if (each.selector == selectors.front()) files = {each.file};
  if (key == nullptr && selectors.size() == 1 && files.size() > 1) files.resize(1);
  if (selectors.size() == 1) selectors.resize(files.size(), selectors.front());
  if (selectors.size() != files.size()) return vsl::fail_api("dkim::sign: " + std::to_string(files.size()) + " keys and " + std::to_string(selectors.size()) + " selectors");
  keys.clear();
  for (std::size_t i = 0; i < files.size(); ++i) keys.push_back({selectors[i], files[i]});
  return {};
}

Expected<void> take_form(SignOptions& options, const Value& value) {
  const std::string name = name_argument(value);
  if (authn::read_canonicalization(name, options)) return {};
  return vsl::fail_api("dkim 'canonicalization' argument must be 'simple' or 'relaxed', or two of them as in 'relaxed/simple', not '" + name + "'");
}

// A name that stands there twice, as vSMTP has it, is signed once more than it is there.
Expected<void> take_headers(SignOptions& options, const Value& value) {
  auto names = texts_of("headers_field", value);
  if (!names) return std::unexpected(std::move(names.error()));
  options.headers.clear();
  options.oversigned.clear();
  for (auto& name : *names) {
    const auto is_same = [&name](const std::string& other) { return base::text::equal_ignoring_case(other, name); };
    auto& list = std::ranges::any_of(options.headers, is_same) ? options.oversigned : options.headers;
    if (std::ranges::none_of(list, is_same)) list.push_back(std::move(name));
  }
  return {};
}

Result carry_out(Run& run, Transaction& transaction, const Order& order) {
  const Site& site = scene_of(run).site;
  Value fields = run.heap().array();
  for (const auto& each : order.signer.keys) {
    auto key = site.facilities->keys().get(each.file);
    if (!key) return fail_with(key.error());
    SignOptions options = order.signer.options;
    options.selector = each.selector;
    options.now = verify_options_of(site).now;
    if (order.adds_field) {
      if (const auto added = add_signature(transaction, std::move(*key), std::move(options)); !added) return fail_with(added.error());
      continue;
    }
    const auto body = signature_of(*transaction.message, **key, options);
    if (!body) return fail_with(body.error());
    fields.array_for_write(run.heap()).push(run.string(*body));
  }
  if (order.adds_field) return true;
  return order.signer.keys.size() == 1 ? fields.as_array()[0] : fields;
}

Expected<Order> order_at(Run& run, const vsl::Map* given) {
  auto message = message_at(run, "sign_dkim");
  if (!message) return pass_on(message);
  std::string domain;
  if (given != nullptr)
    for (const std::string_view name : {"sdid", "domain"})
      if (const Value* value = given->find(name)) domain = name_argument(*value);
  auto signer = configured_signer(run, **message, domain);
  if (!signer) return pass_on(signer);
  return Order{std::move(*signer), true};
}

Expected<Order> order_of_map(Run& run, const vsl::Map& given) {
  auto order = order_at(run, &given);
  if (!order) return order;
  for (const auto& [key, value] : given.entries()) {
    const auto name = key.as_text();
    Expected<void> taken;
    if (name == "canonicalization") taken = take_form(order->signer.options, value);
    else if (name == "headers_field" || name == "headers") taken = take_headers(order->signer.options, value);
    else if (name == "auid" || name == "identity") order->signer.options.identity = name_argument(value);
    else if (name != "selector" && name != "private_key" && name != "sdid" && name != "domain")
      return vsl::fail_api("dkim::sign has no option '" + std::string(name) + "'; there are: selector, private_key, sdid, auid, headers_field, canonicalization");
    if (!taken) return std::unexpected(std::move(taken.error()));
  }
  if (auto taken = take_keys(*order, given); !taken) return std::unexpected(std::move(taken.error()));
  if (order->signer.keys.empty()) return no_keys(order->signer.options.domain);
  return order;
}

template <bool kAddsField>
Result sign_by_map(Run& run, Arguments a) {
  auto order = order_of_map(run, a[0].as_map());
  if (!order) return pass_on(order);
  order->adds_field = kAddsField;
  return carry_out(run, **transaction_at(run, Stage::Preq, "sign_dkim"), *order);
}

// sign_dkim([selector[, headers[, canonicalization]]]) as a map.
Result sign(Run& run, Arguments a) {
  constexpr std::string_view kNames[] = {"selector", "headers_field", "canonicalization"};
  Value map = run.heap().map();
  for (std::size_t i = 0; i < a.size(); ++i) map.map_for_write(run.heap()).set(kNames[i], std::move(a[i]));
  return sign_by_map<true>(run, {&map, 1});
}

// The files, as private_key of dkim::sign() takes them.
Result private_keys(Run& run, Arguments a) {
  auto signer = authn::signer_for(scene_of(run).site.settings, domain_key(name_argument(a[0])));
  if (!signer) return fail_with(signer.error());
  Value files = run.heap().array();
  if (*signer)
    for (const auto& key : (*signer)->keys) files.array_for_write(run.heap()).push(run.string(key.file));
  return files;
}

using enum vsl::Type;
constexpr Stages kFrom = from(Stage::Preq);
constexpr ApiRow kRows[] = {
    api<sign_by_map<true>>("dkim::sign", "sign_dkim dkim_sign", {Map}, kFrom,
                           "signs the message as it leaves: dkim::sign(#{selector, private_key, sdid, auid, headers_field, canonicalization}); what is not given is that of the configuration", kWaits),
    api<sign_by_map<false>>("dkim::create_signature", "", {Map}, kFrom, "the body of the field that dkim::sign() would add", vsl::kMustUse | kWaits),
    api<sign>("sign_dkim", "dkim_sign dkim::sign", {}, kFrom, "signs with the keys of the configuration for the domain in From: [virtual \"DOMAIN\"], else [dkim]", kWaits),
    api<sign>("sign_dkim", "dkim_sign dkim::sign", {Any}, kFrom, "the same with another selector", kWaits),
    api<sign>("sign_dkim", "dkim_sign", {Any, Array}, kFrom, "... and these fields; one that stands there twice cannot be added to the message", kWaits),
    api<sign>("sign_dkim", "dkim_sign", {Any, Array, Any}, kFrom, "... and this canonicalization: \"simple/relaxed\"", kWaits),
    api<private_keys>("dkim::get_private_keys", "", {Any}, kEvery, "the files of the keys that the configuration has for a domain", vsl::kMustUse | kNoHandle),
};

}  // namespace

std::span<const ApiRow> dkim_sign_rows() { return kRows; }

}  // namespace rules
