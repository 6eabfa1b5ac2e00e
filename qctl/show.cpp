// qctl show and qctl cat: one message from near.
#include <algorithm>

#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "qctl/commands.h"
#include "qctl/context.h"
#include "qctl/history.h"
#include "qctl/line.h"
#include "qctl/look.h"
#include "qctl/quarantine_facts.h"
#include "qctl/show.h"

namespace qctl {
namespace {

std::string recipient_text(const std::string& address, const queue::RecipientProgress& progress, const Output& out) {
  std::string text = addresses_text({address}, out.screen().utf8) + "  ";
  if (!progress.last) return text + "waiting";
  text += kind_text(progress.last->kind, out);
  if (progress.deferrals > 0) text += ", put off " + std::to_string(progress.deferrals) + (progress.deferrals == 1 ? " time" : " times");
  return text;
}

std::string indented(const std::string& lines) {
  std::string text;
  for (const auto line : base::text::split(lines, '\n')) text += "  " + std::string(line) + "\n";
  return text;
}

std::string as_text(const queue::Seen& seen, base::WallTime now, const Output& out) {
  const bool utf8 = out.screen().utf8;
  const Entry entry = entry_of(seen);
  const auto heading = [&](std::string_view name) { return out.styled(name, Output::Style::Strong); };
  std::string text = heading("id") + "         " + entry.id.string() + "\n";
  text += heading("queue") + "      " + entry.place.folder() + (entry.is_in_log ? " (in the log)" : "") + "\n";
  text += heading("arrived") + "    " + ago(entry.arrived, now) + "\n";
  if (entry.next_attempt) text += heading("next try") + "   " + (*entry.next_attempt <= now ? "now" : ago(*entry.next_attempt, now)) + "\n";
  text += heading("size") + "       " + std::to_string(entry.octets) + " octets\n";
  text += heading("sender") + "     " + addresses_text({entry.reverse_path}, utf8) + "\n";

  if (const auto facts = quarantine_facts(seen.item.context); facts && entry.place.state == queue::State::Quarantine) {
    text += heading("set aside") + " ";
    text += facts->time ? " " + ago(*facts->time, now) : std::string();
    if (!facts->rule.empty()) text += " by rule \"" + printable_text(facts->rule, utf8) + "\"";
    if (!facts->stage.empty()) text += " of stage " + printable_text(facts->stage, utf8);
    text += (facts->reason.empty() ? "" : ": " + printable_text(facts->reason, utf8)) + "\n";
  }
  const auto& recipients = seen.item.envelope.recipients;
  const auto progress = queue::sum_up(seen.events, recipients.size());
  text += heading("recipients") + "\n";
  for (std::size_t i = 0; i < recipients.size(); ++i) text += "  " + recipient_text(recipients[i], progress[i], out) + "\n";

  text += heading("context") + "\n" + indented(printable_lines(canonical_context(seen.item, seen.events, true), utf8));
  text += heading("history") + (seen.events.empty() ? "    nothing yet\n" : "\n");
  for (const auto& event : seen.events) text += "  " + base::to_rfc3339(event.time) + " " + event_text(event, seen.item.envelope, out) + "\n";
  return text;
}

std::string as_json(const queue::Seen& seen) {
  std::string json = as_json(entry_of(seen));
  json.pop_back();
  base::json::append_name(json, "context");
  json += canonical_context(seen.item, seen.events, false);
  base::json::append_name(json, "history");
  return json + history_json(seen.events, seen.item.envelope) + "}";
}

base::Result<void> require_arguments(const Session& session) {
  if (!session.arguments.empty()) return {};
  return base::fail(base::Fault::Usage, "which message? expected: an id (qctl list shows them)");
}

}  // namespace

base::Result<int> show(Session& session) {
  const auto given = require_arguments(session);
  if (!given) return std::unexpected(given.error());
  for (std::size_t i = 0; i < session.arguments.size(); ++i) {
    const auto seen = find_seen(session.spool, session.arguments[i]);
    if (!seen) return std::unexpected(seen.error());
    if (session.wants_json()) {
      session.out.put(as_json(*seen) + "\n");
    } else {
      session.out.put((i == 0 ? "" : "\n") + as_text(*seen, session.now, session.out));
    }
  }
  return 0;
}

void put_message(Output& out, const queue::Seen& seen, base::WallTime now, bool is_json) { out.put(is_json ? as_json(seen) + "\n" : as_text(seen, now, out)); }

base::Result<int> context(Session& session) {
  const auto given = require_arguments(session);
  if (!given) return std::unexpected(given.error());
  for (const auto& id : session.arguments) {
    const auto seen = find_seen(session.spool, id);
    if (!seen) return std::unexpected(seen.error());
    const auto text = canonical_context(seen->item, seen->events, !session.wants_json());
    session.out.put((session.out.screen().is_terminal ? printable_lines(text, session.out.screen().utf8) : text) + "\n");
  }
  return 0;
}

base::Result<int> cat(Session& session) {
  const auto given = require_arguments(session);
  if (!given) return std::unexpected(given.error());
  for (const auto& id : session.arguments) {
    const auto seen = find_seen(session.spool, id);
    if (!seen) return std::unexpected(seen.error());
    const auto flushed = session.out.flush();
    if (!flushed) return std::unexpected(flushed.error());
    if (session.out.screen().is_terminal) {
      const auto view = seen->message.view();
      if (!view) return std::unexpected(view.error());
      session.out.put(printable_lines(view->octets(), session.out.screen().utf8));
      continue;
    }
    const auto written = seen->message.write_to(STDOUT_FILENO);
    if (!written) return std::unexpected(written.error());
  }
  return 0;
}

}  // namespace qctl
