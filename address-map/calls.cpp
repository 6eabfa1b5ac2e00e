#include "address-map/calls.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/chain/envelope.h"
#include "lib/chain/policy.h"
#include "lib/mail/address.h"
#include "lib/mail/dsn.h"

namespace address_map {
namespace {

using nlohmann::json;
using Kind = Target::Kind;

// What a recipient of the message has become.
struct Expanded {
  std::size_t original = 0;  // in the envelope
  Result result;
  std::string address;  // in the new envelope
  // Of an alias or list whose sender asked to be told of success: there are members, each of whom would tell him by itself, and an
  // entry that has him told once, of the address that he knows ("alias", "list").
  bool tells_success = true;
  std::string_view stands_for = {};
};

// The entries of envelop.rcpt, by address; nullptr: none.
class Entries {
 public:
  explicit Entries(const json& context) {
    const auto envelop = context.find("envelop");
    if (envelop == context.end() || !envelop->is_object()) return;
    const auto list = envelop->find("rcpt");
    if (list == envelop->end() || !list->is_array()) return;
    for (const auto& entry : *list)
      if (entry.is_object() && entry.contains("address") && entry["address"].is_string()) by_address_.try_emplace(entry["address"].get<std::string>(), &entry);
  }
  [[nodiscard]] const json* of(const std::string& address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? nullptr : found->second;
  }

 private:
  std::unordered_map<std::string, const json*> by_address_;
};

// Rules have said which way it goes: that is not a matter of maps any more.
bool is_ruled(const json* entry) {
  if (entry == nullptr) return false;
  const auto method = entry->find("transfer_method");
  return method != entry->end() && *method != "Deliver";
}

std::uint8_t notify_of(const json* entry) {
  if (entry == nullptr) return 0;
  const auto notify = entry->find("notify");
  return notify != entry->end() && notify->is_string() ? mail::parse_notify(notify->get_ref<const std::string&>()).value_or(0) : 0;
}

// NOTIFY without SUCCESS: of those who asked for nothing else nobody is told.
std::string without_success(std::uint8_t notify) {
  notify &= static_cast<std::uint8_t>(~mail::kSuccess);
  return mail::notify_text(notify != 0 ? notify : std::uint8_t{mail::kNever});
}

// What the context says of a recipient that has taken the place of another. RFC 3461 section 5.2.7: ORCPT and NOTIFY go on through an
// alias, SUCCESS only where it has one member; a list is where they end, and its owner's affair.
json entry_of(const Expanded& expanded, const std::string& original, const json* before) {
  const bool is_same = expanded.result.kind == Kind::Address && expanded.address == original;
  json entry = before != nullptr ? *before : json::object();
  entry["address"] = expanded.address;
  if (!expanded.stands_for.empty()) {
    entry["transfer_method"] = {{"Expanded", expanded.stands_for}};
    return entry;
  }
  if (!expanded.tells_success) entry["notify"] = without_success(notify_of(before));
  if (is_same) return entry;
  entry.erase("email_status");
  entry["transfer_method"] = "Deliver";
  if (expanded.result.kind == Kind::Command) entry["transfer_method"] = {{"Pipe", expanded.result.text}};
  if (expanded.result.kind == Kind::File) entry["transfer_method"] = {{"File", expanded.result.text}};
  if (expanded.result.is_list) {
    entry.erase("notify");
    entry.erase("orcpt");
  } else if (!entry.contains("orcpt")) {
    entry["orcpt"] = mail::original_recipient_of(original);
  }
  return entry;
}

// A group has one sender, and each address once: what is said of an address holds for all that have it.
struct Draft {
  std::string sender;
  std::vector<const Expanded*> recipients;
  std::unordered_set<std::string> addresses;
};

std::vector<Draft> drafts_of(const std::vector<Expanded>& all, const std::string& sender) {
  std::vector<Draft> drafts;
  for (const auto& expanded : all) {
    const auto& from = expanded.result.is_list ? expanded.result.owner : sender;
    const auto room = std::ranges::find_if(drafts, [&](const Draft& draft) { return draft.sender == from && !draft.addresses.contains(expanded.address); });
    Draft& draft = room != drafts.end() ? *room : drafts.emplace_back();
    draft.sender = from;
    draft.addresses.insert(expanded.address);
    draft.recipients.push_back(&expanded);
  }
  std::ranges::stable_partition(drafts, [&](const Draft& draft) { return draft.sender == sender; });
  return drafts;
}

Group group_of(const Draft& draft, const mail::Envelope& envelope, const json& context, const Entries& entries) {
  mail::Envelope changed{draft.sender, {}};
  json list = json::array();
  for (const auto* expanded : draft.recipients) {
    const auto& original = envelope.recipients[expanded->original];
    changed.recipients.push_back(expanded->address);
    list.push_back(entry_of(*expanded, original, entries.of(original)));
  }
  Group group{chain::to_octets(changed), {}};
  json whole = context;
  if (!whole.contains("envelop") || !whole["envelop"].is_object()) whole["envelop"] = json::object();
  whole["envelop"]["rcpt"] = std::move(list);
  if (draft.sender != envelope.reverse_path) {
    if (whole["envelop"].contains("mail_from")) whole["envelop"]["mail_from"] = draft.sender;
    whole["envelop"].erase("dsn");  // ENVID and RET are the sender's, too
  }
  group.context = whole.dump(-1, ' ', false, json::error_handler_t::replace);
  return group;
}

}  // namespace

base::Result<std::vector<Group>> regroup(const Expander& expander, const chain::Call& call) {
  const auto envelope = chain::parse_envelope(call.envelope);
  if (!envelope) return std::unexpected(envelope.error());
  const json context = call.context.empty() ? json::object() : json::parse(call.context, nullptr, false);
  if (!context.is_object()) return base::fail(base::Fault::Permanent, "context: not a JSON object");
  const Entries entries(context);

  std::vector<Expanded> all;
  std::unordered_set<std::string> known;
  bool is_changed = false;
  for (std::size_t i = 0; i < envelope->recipients.size(); ++i) {
    const auto& recipient = envelope->recipients[i];
    std::vector<Result> results;
    if (is_ruled(entries.of(recipient))) {
      results.push_back({Kind::Address, recipient, recipient, {}, false});
    } else {
      auto expanded = expander.expand(recipient);
      if (!expanded) return std::unexpected(expanded.error());
      results = std::move(*expanded);
    }
    // More than one, or lists: RFC 3461 section 5.2.7.
    const bool is_list = std::ranges::all_of(results, &Result::is_list);
    const bool is_told_once = (notify_of(entries.of(recipient)) & mail::kSuccess) != 0 && (results.size() > 1 || is_list);
    if (is_told_once) all.push_back({i, {Kind::Address, recipient, recipient, {}, false}, recipient, true, is_list ? "list" : "alias"});
    is_changed = is_changed || results.size() != 1 || results.front() != Result{Kind::Address, recipient, recipient, {}, false};
    for (auto& result : results) {
      // One message to an address, whichever way it came there.
      const std::string same = std::string(1, static_cast<char>(result.kind)) + result.owner + '\n' + (result.kind == Kind::Address ? mail::canonical_address(result.text) : result.text);
      if (!known.insert(same).second) continue;
      std::string address = result.alias;
      all.push_back({i, std::move(result), std::move(address), !is_told_once});
    }
  }
  if (!is_changed) return std::vector<Group>();
  std::vector<Group> groups;
  for (const auto& draft : drafts_of(all, envelope->reverse_path)) groups.push_back(group_of(draft, *envelope, context, entries));
  return groups;
}

std::string action_for(const Expander& expander, const Rules& rules, bool knows_mailboxes, std::string_view question) {
  const auto attributes = chain::parse_policy(question);
  if (!attributes) return "451 4.3.5 Server configuration problem";
  const auto* state = chain::find(*attributes, "protocol_state");
  const auto* recipient = chain::find(*attributes, "recipient");
  if (state == nullptr || *state != "RCPT" || recipient == nullptr || recipient->empty()) return "DUNNO";
  const auto [local, domain] = mail::split_address(*recipient);
  const bool is_virtual = rules.virtual_domains.contains(domain);
  if (!is_virtual && !(knows_mailboxes && expander.is_local(domain))) return "DUNNO";
  if (base::text::equal_ignoring_case(local, "postmaster") && !is_virtual) return "DUNNO";  // RFC 5321 section 4.5.1
  const auto found = expander.is_in_maps(*recipient);
  if (!found) {
    base::log::error("a map cannot be used", {{"cause", found.error().cause}});
    return "451 4.3.5 recipient cannot be checked now";
  }
  return *found ? "DUNNO" : "550 5.1.1 <" + base::text::printable(*recipient, 300) + ">: no such user here";
}

}  // namespace address_map
