#include "queue-run/context_routes.h"

#include <nlohmann/json.hpp>

namespace run {

std::unordered_set<std::string> undelivered_recipients(std::string_view context) {
  std::unordered_set<std::string> addresses;
  if (context.find("\"transfer_method\"") == std::string_view::npos) return addresses;
  const auto json = nlohmann::json::parse(context, nullptr, false);
  const auto path = nlohmann::json::json_pointer("/envelop/rcpt");
  if (!json.is_object() || !json.contains(path) || !json[path].is_array()) return addresses;
  for (const auto& recipient : json[path]) {
    if (!recipient.is_object()) continue;
    const auto method = recipient.find("transfer_method");
    const auto address = recipient.find("address");
    if (method == recipient.end() || *method != "None" || address == recipient.end() || !address->is_string()) continue;
    addresses.insert(address->get<std::string>());
  }
  return addresses;
}

}  // namespace run
