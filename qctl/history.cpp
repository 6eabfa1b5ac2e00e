#include "qctl/history.h"

#include <algorithm>
#include <array>

#include "lib/base/json_text.h"
#include "qctl/line.h"

namespace qctl {
namespace {

struct KindRow {
  queue::EventKind kind;
  std::string_view word;
  Output::Style style;
};
constexpr auto kKinds = std::to_array<KindRow>({
    {queue::EventKind::Sent, "sent", Output::Style::Green},
    {queue::EventKind::Deferred, "deferred", Output::Style::Yellow},
    {queue::EventKind::Failed, "failed", Output::Style::Red},
    {queue::EventKind::Expanded, "expanded", Output::Style::Green},
    {queue::EventKind::Note, "note", Output::Style::Plain},
    {queue::EventKind::Finished, "finished", Output::Style::Plain},
    {queue::EventKind::Relayed, "relayed", Output::Style::Green},
    {queue::EventKind::Passed, "passed", Output::Style::Green},
    {queue::EventKind::Notice, "notice", Output::Style::Plain},
    {queue::EventKind::Noticed, "noticed", Output::Style::Plain},
    {queue::EventKind::Ruled, "rules", Output::Style::Plain},
    {queue::EventKind::Unruled, "rules failed", Output::Style::Yellow},
    {queue::EventKind::Delegated, "delegated", Output::Style::Plain},
    {queue::EventKind::Handed, "handed over", Output::Style::Plain},
    {queue::EventKind::Back, "back", Output::Style::Plain},
});
const KindRow& row_of(queue::EventKind kind) {
  const auto* row = std::ranges::find(kKinds, kind, &KindRow::kind);
  return row != kKinds.end() ? *row : *std::ranges::find(kKinds, queue::EventKind::Note, &KindRow::kind);
}

}  // namespace

std::string_view word_of(queue::EventKind kind) { return row_of(kind).word; }
std::string kind_text(queue::EventKind kind, const Output& out) { return out.styled(row_of(kind).word, row_of(kind).style); }

std::string recipient_of(const queue::Event& event, const mail::Envelope& envelope) {
  const auto& recipients = envelope.recipients;
  return event.recipient && *event.recipient < recipients.size() ? recipients[*event.recipient] : std::string();
}

std::string event_text(const queue::Event& event, const mail::Envelope& envelope, const Output& out) {
  std::string text = kind_text(event.kind, out);
  const bool utf8 = out.screen().utf8;
  if (const auto recipient = recipient_of(event, envelope); !recipient.empty()) text += " " + addresses_text({recipient}, utf8);
  // What deliver-remote reports begins with the host that said it.
  if (!event.destination.empty() && !event.text.starts_with(event.destination)) text += " " + printable_text(event.destination, utf8);
  if (!event.text.empty()) text += ": " + printable_text(event.text, utf8);
  return text;
}

std::string ago(base::WallTime then, base::WallTime now) {
  const auto distance = std::chrono::duration_cast<std::chrono::seconds>(now - then);
  return base::to_rfc3339(then) + (distance.count() >= 0 ? " (" + human_duration(distance) + " ago)" : " (in " + human_duration(-distance) + ")");
}

std::string history_json(std::span<const queue::Event> events, const mail::Envelope& envelope) {
  std::string json = "[";
  for (const auto& event : events) {
    if (json.back() != '[') json += ',';
    json += '{';
    base::json::append_member(json, "time", base::to_rfc3339(event.time));
    base::json::append_member(json, "what", row_of(event.kind).word);
    base::json::append_member(json, "recipient", recipient_of(event, envelope));
    base::json::append_member(json, "destination", event.destination);
    base::json::append_member(json, "text", event.text);
    json += '}';
  }
  return json + "]";
}

}  // namespace qctl
