#include "qctl/run_status.h"

#include <nlohmann/json.hpp>

namespace qctl {
namespace {
using Json = nlohmann::json;

std::uint64_t number_of(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_number_unsigned() ? member->get<std::uint64_t>() : 0;
}

std::string text_of(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}
}  // namespace

std::optional<RunStatus> parse_run_status(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  RunStatus status;
  status.pid = number_of(json, "pid");
  status.messages = number_of(json, "messages");
  status.calls_open = number_of(json, "calls_open");
  status.calls_waiting = number_of(json, "calls_waiting");
  status.fresh_files_waiting = number_of(json, "fresh_files_waiting");
  status.deferred = number_of(json, "deferred");
  status.deferred_due = number_of(json, "deferred_due");
  status.unrecorded = number_of(json, "unrecorded");
  status.taken = number_of(json, "taken");
  status.sent = number_of(json, "sent");
  status.put_off = number_of(json, "put_off");
  status.failed = number_of(json, "failed");
  const auto destinations = json.find("destinations");
  if (destinations == json.end() || !destinations->is_array()) return status;
  for (const auto& each : *destinations) {
    if (!each.is_object()) continue;
    status.destinations.push_back({text_of(each, "transport"), text_of(each, "host"), number_of(each, "open"), number_of(each, "waiting"),
                                   number_of(each, "window"), number_of(each, "suspended_seconds"), text_of(each, "reason")});
  }
  return status;
}

}  // namespace qctl
