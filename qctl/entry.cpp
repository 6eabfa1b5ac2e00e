#include "qctl/entry.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace qctl {
namespace {
using queue::EventKind;

bool has_got_it(const queue::RecipientProgress& progress) {
  return progress.is_settled && progress.last && progress.last->kind != EventKind::Failed;
}

bool is_of_rules(const queue::Event& event) { return event.kind == EventKind::Ruled || event.kind == EventKind::Unruled; }

std::string last_reason(const std::vector<queue::Event>& events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event)
    if (event->kind == EventKind::Deferred || event->kind == EventKind::Failed || (is_of_rules(*event) && !event->text.empty())) return event->text;
  return {};
}
}  // namespace

Entry entry_of(const queue::Seen& seen) {
  Entry entry;
  entry.id = seen.item.id;
  entry.place = seen.place;
  entry.is_in_log = seen.is_in_log;
  entry.octets = seen.item.message_octets;
  entry.arrived = seen.item.arrived;
  if (seen.place.state == queue::State::Deferred) entry.next_attempt = seen.modified;
  entry.reverse_path = seen.item.envelope.reverse_path;
  const auto& recipients = seen.item.envelope.recipients;
  const auto progress = queue::sum_up(seen.events, recipients.size());
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (!has_got_it(progress[i])) entry.recipients.push_back(recipients[i]);
    entry.attempts = std::max(entry.attempts, progress[i].deferrals + (progress[i].last && progress[i].last->kind == EventKind::Failed ? 1 : 0));
  }
  entry.reason = last_reason(seen.events);
  entry.context = seen.item.context;
  return entry;
}

std::string helo_of(const std::string& context) {
  const auto json = nlohmann::json::parse(context, nullptr, false);
  const auto at = nlohmann::json::json_pointer("/envelop/helo");
  return json.is_object() && json.contains(at) && json[at].is_string() ? json[at].get<std::string>() : std::string();
}

}  // namespace qctl
