#include "lib/chain/context.h"

#include <nlohmann/json.hpp>

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

}  // namespace chain
