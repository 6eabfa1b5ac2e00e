#include "qctl/quarantine_facts.h"

#include <nlohmann/json.hpp>

#include "lib/base/json_text.h"

namespace qctl {
namespace {
using Json = nlohmann::json;

std::string text_of(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// Both forms of vsl.md 4.4.
std::optional<base::WallTime> time_of(const Json& object) {
  const auto member = object.find("time");
  if (member == object.end()) return std::nullopt;
  if (member->is_string()) return base::parse_rfc3339(member->get<std::string>());
  if (!member->is_object() || !member->contains("secs_since_epoch") || !(*member)["secs_since_epoch"].is_number_unsigned()) return std::nullopt;
  constexpr std::uint64_t kMostSeconds = 9'000'000'000;  // WallTime counts nanoseconds in 64 bits
  const auto seconds = (*member)["secs_since_epoch"].get<std::uint64_t>();
  if (seconds > kMostSeconds) return std::nullopt;
  return base::WallTime(std::chrono::seconds(seconds));
}
}  // namespace

std::optional<QuarantineFacts> quarantine_facts(std::string_view context) {
  if (!context.contains("\"quarantine\"")) return std::nullopt;  // most contexts: no tree for them
  const auto json = Json::parse(context, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto member = json.find("quarantine");
  if (member == json.end()) return std::nullopt;
  if (member->is_string() && !member->get_ref<const std::string&>().empty()) return QuarantineFacts{.name = member->get<std::string>(), .reason = {}, .rule = {}, .stage = {}, .time = {}};
  if (!member->is_object()) return std::nullopt;
  return QuarantineFacts{text_of(*member, "name"), text_of(*member, "reason"), text_of(*member, "rule"), text_of(*member, "stage"), time_of(*member)};
}

std::string as_json(const QuarantineFacts& facts) {
  std::string json = "{";
  base::json::append_member(json, "name", facts.name);
  base::json::append_member(json, "reason", facts.reason);
  base::json::append_member(json, "rule", facts.rule);
  base::json::append_member(json, "stage", facts.stage);
  base::json::append_name(json, "time");
  if (facts.time) {
    base::json::append_string(json, base::to_rfc3339(*facts.time));
  } else {
    json += "null";
  }
  return json + "}";
}

}  // namespace qctl
