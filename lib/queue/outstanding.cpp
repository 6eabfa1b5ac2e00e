#include "lib/queue/outstanding.h"

#include <algorithm>

namespace queue {
namespace {

bool has_got_it(const RecipientProgress& progress) { return progress.is_settled && progress.last && progress.last->kind != EventKind::Failed; }

// Of the whole message; of a recipient the last attempt says it, even without a text.
bool is_of_rules(EventKind kind) { return kind == EventKind::Ruled || kind == EventKind::Unruled || kind == EventKind::Delegated || kind == EventKind::Handed; }

std::string last_reason(std::span<const Event> events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event)
    if (event->kind == EventKind::Deferred || event->kind == EventKind::Failed || (is_of_rules(event->kind) && !event->text.empty())) return event->text;
  return {};
}

}  // namespace

Outstanding outstanding_of(const Item& item, std::span<const Event> events) {
  const auto& recipients = item.envelope.recipients;
  const auto progress = sum_up(events, recipients.size());
  Outstanding left;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (!has_got_it(progress[i])) left.recipients.push_back(recipients[i]);
    left.attempts = std::max(left.attempts, progress[i].deferrals + (progress[i].last && progress[i].last->kind == EventKind::Failed ? 1 : 0));
  }
  left.reason = last_reason(events);
  return left;
}

}  // namespace queue
