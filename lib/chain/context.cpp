#include "lib/chain/context.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "lib/base/json_text.h"
#include "lib/base/text.h"

namespace chain {

struct Context::Internal {
  nlohmann::json object = nlohmann::json::object();

  // Nullptr when there is nothing.
  [[nodiscard]] const nlohmann::json* at(std::string_view path) const {
    const nlohmann::json* here = &object;
    if (path.empty()) return here;
    for (const auto name : base::text::split(path, '.')) {
      if (!here->is_object()) return nullptr;
      const auto member = here->find(name);
      if (member == here->end()) return nullptr;
      here = &*member;
    }
    return here;
  }
};

Context::Context() : internal_(std::make_shared<Internal>()) {}

base::Result<Context> Context::parse(std::string_view json) {
  Context context;
  if (json.empty()) return context;
  Internal internal;
  internal.object = nlohmann::json::parse(json, nullptr, false);
  if (!internal.object.is_object()) return base::fail(base::Fault::Temporary, "context: not a JSON object: " + base::text::printable(json, 40));
  context.internal_ = std::make_shared<Internal>(std::move(internal));
  return context;
}

std::optional<std::string> Context::text(std::string_view path) const {
  const auto* value = internal_->at(path);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

std::optional<std::int64_t> Context::number(std::string_view path) const {
  const auto* value = internal_->at(path);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  return value->get<std::int64_t>();
}

std::optional<bool> Context::flag(std::string_view path) const {
  const auto* value = internal_->at(path);
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

bool Context::has(std::string_view path) const { return internal_->at(path) != nullptr; }

std::vector<std::string> Context::members(std::string_view path) const {
  std::vector<std::string> names;
  const auto* value = internal_->at(path);
  if (value == nullptr || !value->is_object()) return names;
  for (const auto& [name, member] : value->items()) names.push_back(name);
  return names;
}

std::vector<Context::Recipient> Context::recipients() const {
  std::vector<Recipient> recipients;
  const auto* list = internal_->at("envelop.rcpt");
  if (list == nullptr || !list->is_array()) return recipients;
  for (const auto& entry : *list) {
    const auto address = entry.is_object() ? entry.find("address") : entry.end();
    if (address == entry.end() || !address->is_string()) continue;
    Recipient& recipient = recipients.emplace_back();
    recipient.address = address->get<std::string>();
    if (const auto notify = entry.find("notify"); notify != entry.end() && notify->is_string())
      recipient.dsn.notify = mail::parse_notify(notify->get_ref<const std::string&>()).value_or(0);
    if (const auto original = entry.find("orcpt"); original != entry.end() && original->is_string()) {
      const auto& value = original->get_ref<const std::string&>();
      if (mail::is_original_recipient(value, true)) recipient.dsn.original_recipient = value;
    }
    const auto method = entry.find("transfer_method");
    if (method == entry.end()) continue;
    // "Deliver", {"Forward":{"Socket":"192.0.2.1:25"}} or {"Forward":"192.0.2.1:25"}
    if (method->is_string()) recipient.transfer_method = method->get<std::string>();
    if (!method->is_object() || method->size() != 1) continue;
    recipient.transfer_method = method->begin().key();
    const nlohmann::json* target = &method->begin().value();
    if (target->is_object() && target->size() == 1) target = &target->begin().value();
    if (target->is_string()) recipient.target = target->get<std::string>();
  }
  return recipients;
}

mail::DsnRequest Context::dsn(std::span<const std::string> recipients) const {
  mail::DsnRequest request;
  request.returns = mail::parse_return(text("envelop.dsn.ret").value_or("")).value_or(mail::Return::None);
  if (auto id = text("envelop.dsn.envid"); id && mail::is_envelope_id(*id)) request.envelope_id = std::move(*id);
  std::unordered_map<std::string, mail::DsnRequest::Recipient> asked;
  for (auto& recipient : this->recipients())
    if (!recipient.dsn.is_empty()) asked.emplace(std::move(recipient.address), std::move(recipient.dsn));
  if (asked.empty()) return request;
  request.recipients.resize(recipients.size());
  for (std::size_t i = 0; i < recipients.size(); ++i)
    if (const auto found = asked.find(recipients[i]); found != asked.end()) request.recipients[i] = found->second;
  return request;
}

std::string folder_in(const Context& context) {
  auto name = context.text("quarantine");
  if (!name) name = context.text("quarantine.name");
  if (name && !name->empty()) return "quarantine/" + *name;
  return context.text("queue").value_or("");
}

std::optional<std::string_view> leading_stage(std::string_view context) {
  if (!context.starts_with(kStagePrefix)) return std::nullopt;
  context.remove_prefix(kStagePrefix.size());
  const auto end = context.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
  if (end == std::string_view::npos || context[end] != '"') return std::nullopt;
  return context.substr(0, end);
}

std::string stage_in(std::string_view octets) {
  if (const auto stage = leading_stage(octets)) return std::string(*stage);
  if (!octets.contains("\"stage\"")) return {};
  const auto context = Context::parse(octets);
  return context ? context->text("stage").value_or("") : std::string();
}

mail::DsnRequest dsn_of(std::string_view octets, std::span<const std::string> recipients) {
  constexpr auto kNames = std::to_array<std::string_view>({"\"dsn\"", "\"notify\"", "\"orcpt\""});
  if (std::ranges::none_of(kNames, [octets](std::string_view name) { return octets.contains(name); })) return {};
  const auto context = Context::parse(octets);
  return context ? context->dsn(recipients) : mail::DsnRequest();
}

void drop_expanded(std::vector<std::string>& recipients, std::string_view octets) {
  if (!octets.contains("\"Expanded\"")) return;
  const auto context = Context::parse(octets);
  if (!context) return;
  for (const auto& recipient : context->recipients())
    if (recipient.transfer_method == "Expanded") std::erase(recipients, recipient.address);
}

void append_dsn_of_recipient(std::string& out, std::uint8_t notify, std::string_view original_recipient) {
  if (notify != 0) base::json::append_member(out, "notify", mail::notify_text(notify));
  if (!original_recipient.empty()) base::json::append_member(out, "orcpt", original_recipient);
}

void append_dsn_of_message(std::string& out, mail::Return returns, std::string_view envelope_id) {
  if (returns == mail::Return::None && envelope_id.empty()) return;
  base::json::append_name(out, "dsn");
  out += '{';
  if (returns != mail::Return::None) base::json::append_member(out, "ret", mail::return_text(returns));
  if (!envelope_id.empty()) base::json::append_member(out, "envid", envelope_id);
  out += '}';
}

namespace {

// A context that is an object without a member "transfer", up to that member's value.
std::string open_transfer(std::string context) {
  if (context.empty()) context = "{}";
  context.pop_back();
  if (!context.ends_with('{')) context += ',';
  return context += R"("transfer":{)";
}

}  // namespace

std::string with_transfer_password(std::string context, std::string_view password) {
  context = open_transfer(std::move(context));
  base::json::append_member(context, "password", password);
  return context += "}}";
}

std::string with_transfer_timeout(std::string context, std::uint64_t seconds) {
  context = open_transfer(std::move(context));
  base::json::append_member(context, "timeout", static_cast<long long>(seconds));
  return context += "}}";
}

std::string dsn_context(const mail::DsnRequest& request, std::span<const std::string> recipients) {
  if (request.is_empty()) return {};
  std::string out = R"({"envelop":{"rcpt":[)";
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (request.of(i).is_empty()) continue;
    out += out.ends_with('[') ? "{" : ",{";
    base::json::append_member(out, "address", recipients[i]);
    append_dsn_of_recipient(out, request.of(i).notify, request.of(i).original_recipient);
    out += '}';
  }
  out += ']';
  append_dsn_of_message(out, request.returns, request.envelope_id);
  return out += "}}";
}

}  // namespace chain
