// qctl quarantine: messages that rules have set aside.
#include <algorithm>
#include <array>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "qctl/change.h"
#include "qctl/commands.h"
#include "qctl/forward_many.h"
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

// Forwards all, and tells what became of each.
class Forwarding {
 public:
  Forwarding(Session& session, std::string address, std::size_t all) : session_(session), address_(std::move(address)), progress_("forwarding", all) {}

  void carry_out(std::span<const queue::Id> ids) {
    const auto server = base::server_domain(session_.line.settings);
    for (std::size_t first = 0; first < ids.size(); first += kForwardedAtOnce) {
      const auto some = ids.subspan(first, std::min(kForwardedAtOnce, ids.size() - first));
      const auto copies = is_dry_run() ? std::vector<base::Result<queue::Id>>(some.size()) : forward_many(session_.spool, some, address_, server);
      for (std::size_t i = 0; i < some.size(); ++i) tell(some[i], copies[i]);
    }
    progress_.wipe();
  }

  [[nodiscard]] bool is_dry_run() const { return session_.line.has("dry-run"); }
  [[nodiscard]] int exit_code() const { return exit_code_; }
  [[nodiscard]] std::size_t done() const { return is_dry_run() ? 0 : done_; }

 private:
  void tell(const queue::Id& id, const base::Result<queue::Id>& copy) {
    progress_.step();
    if (!copy) {
      progress_.wipe();
      (void)session_.out.flush();
      (void)base::write_all(2, "qctl: " + id.string() + ": " + copy.error().cause + "\n");
      exit_code_ = std::max(exit_code_, base::exit_row(copy.error().fault).by_hand);
      return;
    }
    ++done_;
    if (!session_.wants_json()) {
      session_.out.put(id.string() + (is_dry_run() ? " to " + address_ + " (not done)\n" : " forwarded to " + address_ + " as " + copy->string() + "\n"));
      return;
    }
    std::string json = "{";
    base::json::append_member(json, "id", id.text());
    base::json::append_member(json, "command", "forward");
    base::json::append_member(json, "to", address_);
    base::json::append_member(json, "copy", is_dry_run() ? "" : copy->text());
    base::json::append_name(json, "done");
    session_.out.put(json + (is_dry_run() ? "false}\n" : "true}\n"));
  }

  Session& session_;
  std::string address_;
  Progress progress_;
  int exit_code_ = 0;
  std::size_t done_ = 0;
};

base::Result<int> forward(Session& session) {
  if (session.arguments.empty()) return base::fail(base::Fault::Usage, "forward: whom to? expected: an address, then ids or a selection");
  const auto address = address_of(session.arguments.front());
  if (!address) return std::unexpected(address.error());
  session.arguments.erase(session.arguments.begin());
  if ((session.line.has("all") || session.selection.has_criteria()) != session.arguments.empty())
    return base::fail(base::Fault::Usage, "forward: which messages? expected: ids, or a selection or --all");
  const auto ids = chosen(session);
  if (!ids) return std::unexpected(ids.error());
  Forwarding forwarding(session, *address, ids->size());
  forwarding.carry_out(*ids);
  if (session.line.has("all") || session.selection.has_criteria())
    (void)base::write_all(2, "qctl: forwarded " + std::to_string(forwarding.done()) + " of " + std::to_string(ids->size()) + (ids->size() == 1 ? " message\n" : " messages\n"));
  return forwarding.exit_code();
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
