#include "qctl/context.h"

#include <nlohmann/json.hpp>

namespace qctl {
namespace {
using Json = nlohmann::ordered_json;

Json timestamp(base::WallTime time) { return {{"timestamp", base::to_rfc3339(time)}}; }

bool is_about(const queue::Event& event, std::size_t recipient) { return !event.recipient || *event.recipient == recipient; }

// rcpt.email_status: waiting, sent, heldback with each error, or failed.
Json email_status(const queue::Item& item, std::span<const queue::Event> events, std::size_t recipient) {
  Json status = {{"waiting", timestamp(item.arrived)}};
  Json errors = Json::array();
  for (const auto& event : events) {
    if (!is_about(event, recipient)) continue;
    switch (event.kind) {
      case queue::EventKind::Sent:
      case queue::EventKind::Relayed:
      case queue::EventKind::Passed:
      case queue::EventKind::Expanded: return {{"sent", timestamp(event.time)}};
      case queue::EventKind::Failed: status = {{"failed", {{"timestamp", base::to_rfc3339(event.time)}, {"reason", event.text}}}}; break;
      case queue::EventKind::Deferred:
        errors.push_back({base::to_rfc3339(event.time), {{"Other", event.text}}});
        status = {{"heldback", {{"errors", errors}}}};
        break;
      case queue::EventKind::Note:
      case queue::EventKind::Notice:
      case queue::EventKind::Noticed:
      case queue::EventKind::Ruled:
      case queue::EventKind::Unruled:
      case queue::EventKind::Delegated:
      case queue::EventKind::Handed:
      case queue::EventKind::Back:
      case queue::EventKind::Finished: break;
    }
  }
  return status;
}

// The entry that the context has for this address, or a new one.
Json recipient_entry(const Json& known, const std::string& address) {
  if (known.is_array())
    for (const auto& entry : known)
      if (entry.is_object() && entry.value("address", Json()) == address) return entry;
  return {{"address", address}};
}

}  // namespace

std::string canonical_context(const queue::Item& item, std::span<const queue::Event> events, bool pretty) {
  Json context = Json::parse(item.context, nullptr, false);
  if (!context.is_object()) context = Json::object();
  Json& envelop = context["envelop"];
  if (!envelop.is_object()) envelop = Json::object();
  envelop["mail_from"] = item.envelope.reverse_path;
  const Json known = envelop.value("rcpt", Json::array());
  Json& rcpt = envelop["rcpt"] = Json::array();
  for (std::size_t i = 0; i < item.envelope.recipients.size(); ++i) {
    Json entry = recipient_entry(known, item.envelope.recipients[i]);
    entry["email_status"] = email_status(item, events, i);
    rcpt.push_back(std::move(entry));
  }
  return context.dump(pretty ? 2 : -1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace qctl
