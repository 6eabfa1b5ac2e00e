// qctl why: the reasons why a message is where it is, and all attempts to deliver it.
#include <cerrno>

#include "lib/base/json_text.h"
#include "lib/queue/control.h"
#include "lib/queue/done_journal.h"
#include "qctl/commands.h"
#include "qctl/history.h"
#include "qctl/line.h"
#include "qctl/look.h"
#include "qctl/reasons.h"

namespace qctl {
namespace {

constexpr std::uint64_t kAnswerMilliseconds = 5000;

Surroundings surroundings(const Session& session) {
  const queue::Control control(session.spool, kAnswerMilliseconds);
  Surroundings around{.now = session.now, .is_served = control.is_running(), .running = {}};
  if (!around.is_served) return around;
  if (const auto answer = control.status()) around.running = parse_run_status(*answer);
  return around;
}

std::string summary(const queue::Seen& seen, base::WallTime now, const Output& out) {
  const Entry entry = entry_of(seen);
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - entry.arrived);
  return out.styled(entry.id.string(), Output::Style::Strong) + " is in " + entry.place.folder() + (entry.is_in_log ? " (in the log)" : "") + ", " +
         human_duration(age) + " old, " + human_octets(entry.octets) + ", from " + addresses_text({entry.reverse_path}, out.screen().utf8) + "\n";
}

std::string attempts(std::span<const queue::Event> events, const mail::Envelope& envelope, const Output& out) {
  std::string text;
  for (const auto& event : events) text += "  " + base::to_rfc3339(event.time) + " " + event_text(event, envelope, out) + "\n";
  return text;
}

std::string as_text(const queue::Seen& seen, const Surroundings& around, const Output& out) {
  std::string text = summary(seen, around.now, out);
  for (const auto& sentence : reasons_of(seen, around)) text += "- " + printable_text(sentence, out.screen().utf8) + "\n";
  return text + (seen.events.empty() ? "no attempt yet\n" : "history\n" + attempts(seen.events, seen.item.envelope, out));
}

std::string as_json(const queue::Seen& seen, const Surroundings& around) {
  std::string json = as_json(entry_of(seen));
  json.pop_back();
  base::json::append_name(json, "why");
  json += '[';
  for (const auto& sentence : reasons_of(seen, around)) {
    if (json.back() != '[') json += ',';
    base::json::append_string(json, sentence);
  }
  json += ']';
  base::json::append_name(json, "history");
  return json + history_json(seen.events, seen.item.envelope) + "}";
}

// What the journals of the log still tell of a message that has left. Its envelope is gone, the recipients' addresses are in the events.
base::Result<int> tell_of_the_past(Session& session, const queue::Id& id, const base::Error& not_found) {
  auto events = queue::events_in_journals(session.spool, id);
  if (!events) return std::unexpected(events.error());
  if (events->empty()) return std::unexpected(not_found);
  // One that was delivered at the first attempt has no other event: queue-run's log lines tell the reply.
  const std::string when = ago(events->back().time, session.now);
  std::erase_if(*events, [](const auto& event) { return event.kind == queue::EventKind::Finished; });
  mail::Envelope envelope;
  for (const auto& event : *events) {
    if (!event.recipient || *event.recipient > events->size()) continue;
    if (envelope.recipients.size() <= *event.recipient) envelope.recipients.resize(*event.recipient + 1);
    envelope.recipients[*event.recipient] = event.address;
  }
  if (session.wants_json()) {
    std::string json = "{";
    base::json::append_member(json, "id", id.text());
    base::json::append_member(json, "queue", "");
    base::json::append_name(json, "why");
    json += '[';
    base::json::append_string(json, "it has left the queue, " + when);
    json += ']';
    base::json::append_name(json, "history");
    session.out.put(json + history_json(*events, envelope) + "}\n");
  } else {
    session.out.put(session.out.styled(id.string(), Output::Style::Strong) + " has left the queue, " + when + "\n");
    if (!events->empty()) session.out.put("history\n" + attempts(*events, envelope, session.out));
  }
  return 0;
}

}  // namespace

base::Result<int> why(Session& session) {
  if (session.arguments.empty()) return base::fail(base::Fault::Usage, "why: which message? expected: an id (qctl list shows them)");
  const auto around = surroundings(session);
  for (const auto& id : session.arguments) {
    if (&id != &session.arguments.front() && !session.wants_json()) session.out.put("\n");
    const auto seen = find_seen(session.spool, id);
    if (!seen) {
      const auto known = queue::Id::parse(id);
      if (!known || seen.error().error_number != ENOENT) return std::unexpected(seen.error());
      const auto told = tell_of_the_past(session, *known, seen.error());
      if (!told) return told;
      continue;
    }
    session.out.put(session.wants_json() ? as_json(*seen, around) + "\n" : as_text(*seen, around, session.out));
  }
  return 0;
}

}  // namespace qctl
