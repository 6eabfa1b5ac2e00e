// qctl quarantine: messages that rules have set aside.
#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "qctl/change.h"
#include "qctl/commands.h"
#include "qctl/forward.h"
#include "qctl/line.h"
#include "qctl/look.h"
#include "qctl/quarantine_facts.h"

namespace qctl {
namespace {
using queue::State;
constexpr States kQuarantines = bit(State::Quarantine);
constexpr Operation kRelease{"release", "releasing", "released", Wish::Kind::Move, State::Working, kQuarantines, kQuarantines, false};
constexpr Operation kDelete{"delete", "deleting", "deleted", Wish::Kind::Remove, State::Dead, kQuarantines, kQuarantines, true};
constexpr Operation kExpire{"expire", "deleting", "deleted", Wish::Kind::Remove, State::Dead, kQuarantines, kQuarantines, false};

// Since when it is there, as far as somebody wrote it down.
base::WallTime quarantined_at(const Entry& entry) {
  const auto facts = quarantine_facts(entry.context);
  return facts && facts->time ? *facts->time : entry.arrived;
}

// The arguments are names of quarantines, and their patterns; none: all of them.
base::Result<void> take_names(Session& session) {
  for (const auto& name : session.arguments) session.selection.queues.push_back((name.starts_with("quarantine/") ? "" : "quarantine/") + name);
  session.arguments.clear();
  if (session.selection.queues.empty()) session.selection.queues.emplace_back("quarantine");
  return Selection::check_queues(session.selection.queues);
}

// The age is that in the quarantine, the reason what the rule said.
base::Result<int> list(Session& session) {
  const auto named = take_names(session);
  if (!named) return std::unexpected(named.error());
  const LineLayout layout(session.out.screen());
  if (!session.wants_json() && session.out.screen().is_terminal)
    session.out.put(session.out.styled(layout.title(), Output::Style::Faint) + "\n");
  const auto print = [&](const Entry& entry) {
    if (entry.place.state != State::Quarantine) return true;
    if (session.wants_json()) {
      session.out.put(as_json(entry) + "\n");
      return !session.out.has_failed();
    }
    Entry shown = entry;
    shown.arrived = quarantined_at(entry);
    if (const auto facts = quarantine_facts(entry.context)) shown.reason = facts->rule + (facts->rule.empty() || facts->reason.empty() ? "" : ": ") + facts->reason;
    session.out.put(layout.line(shown, session.now, session.out) + "\n");
    return !session.out.has_failed();
  };
  const auto listed = for_each(session.spool, session.selection, session.now, print);
  if (!listed) return std::unexpected(listed.error());
  return 0;
}

base::Result<Target> find_quarantined(const Session& session, const std::string& id) {
  auto target = find_message(session.spool, id);
  if (!target || target->place.state == State::Quarantine) return target;
  return base::fail(base::Fault::Permanent, target->id.string() + " is in " + target->place.folder() + ", which is no quarantine");
}

base::Result<int> show_quarantined(Session& session) {
  for (const auto& id : session.arguments)
    if (const auto target = find_quarantined(session, id); !target) return std::unexpected(target.error());
  return show(session);
}

base::Result<int> expire(Session& session) {
  if (!session.selection.older) return base::fail(base::Fault::Usage, "expire: which messages? expected: --older TIME, such as --older 30d");
  const auto named = take_names(session);
  if (!named) return std::unexpected(named.error());
  const auto limit = session.now - *session.selection.older;  // and so they arrived before that too
  return change(session, kExpire, [limit](const Entry& entry) { return quarantined_at(entry) < limit; });
}

// ---- forward ----------------------------------------------------------------------------------------------------------

base::Result<std::string> address_of(std::string text) {
  if (text.size() > 2 && text.starts_with('<') && text.ends_with('>')) text = text.substr(1, text.size() - 2);
  const auto mailbox = mail::parse_mailbox(text, {.smtputf8 = true});
  if (mailbox) return text;
  return base::fail(base::Fault::Usage, "forward: '" + base::text::printable(text) + "': " + std::string(mail::describe(mailbox.error())) + "; expected: the address that gets the copies");
}

base::Result<std::vector<queue::Id>> chosen(Session& session) {
  std::vector<queue::Id> ids;
  if (!session.arguments.empty()) {
    for (const auto& id : session.arguments) {
      const auto target = find_quarantined(session, id);
      if (!target) return std::unexpected(target.error());
      ids.push_back(target->id);
    }
    return ids;
  }
  const auto named = take_names(session);
  if (!named) return std::unexpected(named.error());
  const auto found = for_each(session.spool, session.selection, session.now, [&](const Entry& entry) {
    if (entry.place.state == State::Quarantine) ids.push_back(entry.id);
    return true;
  });
  if (!found) return std::unexpected(found.error());
  return ids;
}

base::Result<queue::Id> forward_one(Session& session, const queue::Id& id, const std::string& address, const std::string& server) {
  const auto seen = queue::View(session.spool).find(id);
  if (!seen) return std::unexpected(seen.error());
  const auto copy = forwarded(*seen, address, server, base::wall_now());
  if (!copy) return std::unexpected(copy.error());
  // To deliver/: the rules that set the original aside would find it in the copy.
  const auto stored = session.spool.store(copy->item, copy->octets, {State::Deliver, {}});
  if (!stored) return std::unexpected(stored.error());
  session.spool.remark(id, "copy " + copy->item.id.string() + " forwarded to " + address + " with qctl by uid " + std::to_string(::getuid()));
  return copy->item.id;
}

base::Result<int> forward(Session& session) {
  if (session.arguments.empty()) return base::fail(base::Fault::Usage, "forward: whom to? expected: an address, then ids or a selection");
  const auto address = address_of(session.arguments.front());
  if (!address) return std::unexpected(address.error());
  session.arguments.erase(session.arguments.begin());
  if ((session.line.has("all") || session.selection.has_criteria()) != session.arguments.empty())
    return base::fail(base::Fault::Usage, "forward: which messages? expected: ids, or a selection or --all");
  const auto ids = chosen(session);
  if (!ids) return std::unexpected(ids.error());
  const bool dry_run = session.line.has("dry-run");
  const auto server = base::server_domain(session.line.settings);
  Progress progress("forwarding", ids->size());
  int exit_code = 0;
  std::size_t done = 0;
  for (const auto& id : *ids) {
    const auto copy = dry_run ? base::Result<queue::Id>(queue::Id()) : forward_one(session, id, *address, server);
    progress.step();
    if (!copy) {
      progress.wipe();
      (void)session.out.flush();
      (void)base::write_all(2, "qctl: " + id.string() + ": " + copy.error().cause + "\n");
      exit_code = std::max(exit_code, base::exit_row(copy.error().fault).by_hand);
      continue;
    }
    ++done;
    if (session.wants_json()) {
      std::string json = "{";
      base::json::append_member(json, "id", id.text());
      base::json::append_member(json, "command", "forward");
      base::json::append_member(json, "to", *address);
      base::json::append_member(json, "copy", dry_run ? "" : copy->text());
      base::json::append_name(json, "done");
      session.out.put(json + (dry_run ? "false}\n" : "true}\n"));
    } else {
      session.out.put(id.string() + (dry_run ? " to " + *address + " (not done)\n" : " forwarded to " + *address + " as " + copy->string() + "\n"));
    }
  }
  progress.wipe();
  if (session.line.has("all") || session.selection.has_criteria())
    (void)base::write_all(2, "qctl: forwarded " + std::to_string(dry_run ? 0 : done) + " of " + std::to_string(ids->size()) + (ids->size() == 1 ? " message\n" : " messages\n"));
  return exit_code;
}

struct Part {
  std::string_view name;
  base::Result<int> (*run)(Session&);
};
constexpr auto kParts = std::to_array<Part>({
    {"list", list},
    {"show", show_quarantined},
    {"release", [](Session& session) { return change(session, kRelease); }},
    {"delete", [](Session& session) { return change(session, kDelete); }},
    {"forward", forward},
    {"expire", expire},
});

}  // namespace

base::Result<int> quarantine(Session& session) {
  const std::string name = session.arguments.empty() ? "list" : session.arguments.front();
  if (!session.arguments.empty()) session.arguments.erase(session.arguments.begin());
  const auto* part = std::ranges::find(kParts, name, &Part::name);
  if (part != kParts.end()) return part->run(session);
  std::string known;
  for (const auto& each : kParts) known += " " + std::string(each.name);
  return base::fail(base::Fault::Usage, "quarantine: '" + base::text::printable(name) + "'; expected one of:" + known);
}

}  // namespace qctl
