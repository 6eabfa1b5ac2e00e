#include "qctl/entry.h"

#include <nlohmann/json.hpp>

#include "lib/queue/outstanding.h"

namespace qctl {

Entry entry_of(const queue::Seen& seen) {
  Entry entry;
  entry.id = seen.item.id;
  entry.place = seen.place;
  entry.is_in_log = seen.is_in_log;
  entry.octets = seen.item.message_octets;
  entry.arrived = seen.item.arrived;
  if (seen.place.state == queue::State::Deferred || seen.place.state == queue::State::Delegated) entry.next_attempt = seen.modified;
  entry.reverse_path = seen.item.envelope.reverse_path;
  auto left = queue::outstanding_of(seen.item, seen.events);
  entry.recipients = std::move(left.recipients);
  entry.reason = std::move(left.reason);
  entry.attempts = left.attempts;
  entry.context = seen.item.context;
  return entry;
}

Entry entry_of(const queue::Brief& brief) {
  Entry entry;
  entry.id = brief.listed.id;
  entry.place = brief.listed.place;
  entry.octets = brief.message_octets;
  entry.arrived = brief.listed.arrived;
  entry.next_attempt = brief.listed.modified;
  entry.reverse_path = brief.text.sender;
  entry.recipients = brief.text.recipients;
  entry.reason = brief.text.reason;
  entry.attempts = brief.attempts;
  entry.context = "{}";
  return entry;
}

std::string helo_of(const std::string& context) {
  const auto json = nlohmann::json::parse(context, nullptr, false);
  const auto at = nlohmann::json::json_pointer("/envelop/helo");
  return json.is_object() && json.contains(at) && json[at].is_string() ? json[at].get<std::string>() : std::string();
}

}  // namespace qctl
