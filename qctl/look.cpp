#include "qctl/look.h"

#include <algorithm>
#include <cerrno>

#include "lib/base/text.h"
#include "lib/queue/bulk_notes.h"
#include "lib/queue/catalog.h"

namespace qctl {
namespace {
constexpr std::size_t kShownCandidates = 5;

std::string upper_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = base::text::upper(c);
  return result;
}

base::Error no_such_message(const queue::Spool& spool, std::string_view id) {
  return {base::Fault::Permanent, "No such message '" + base::text::printable(id) + "' in queues at '" + spool.path() + "'", ENOENT};
}

base::Error ambiguous(std::string_view prefix, const std::vector<Target>& candidates) {
  std::string cause = "'" + std::string(prefix) + "' is the beginning of several ids:";
  for (std::size_t i = 0; i < std::min(candidates.size(), kShownCandidates); ++i) cause += " " + candidates[i].id.string();
  return {base::Fault::Usage, cause + (candidates.size() > kShownCandidates ? " ..." : "")};
}

// A message may be seen twice when it moves while the folders are read.
void add_candidate(std::vector<Target>& candidates, const Target& target) {
  const auto known = std::ranges::find(candidates, target.id, &Target::id);
  if (known != candidates.end()) candidates.erase(known);
  candidates.push_back(target);
}

base::Result<std::vector<Target>> find_prefix(const queue::Spool& spool, std::string_view prefix) {
  std::vector<Target> candidates;
  const auto look_at = [&](const Target& target) {
    if (target.id.text().starts_with(prefix)) add_candidate(candidates, target);
    return candidates.size() <= kShownCandidates;
  };
  for (const auto& place : spool.places()) {
    const auto listed = place.state == queue::State::Working
                            ? queue::View(spool).list(place, [&](const queue::Listed& one) { return look_at({one.id, one.place, one.is_in_log}); })
                            : spool.list_names(place, [&](const queue::Id& id) { return look_at({id, place, false}); });
    if (!listed) return std::unexpected(listed.error());
  }
  return candidates;
}

bool takes_header(const Selection& selection, const queue::Seen& seen) {
  if (!selection.wants_header()) return true;
  const auto view = seen.message.view();
  return view && selection.takes_header(view->octets());
}

using OnEntry = std::function<bool(const Entry&)>;

// By the catalog of deferred/, when it can be trusted and says all that is wanted to know; else by reading the files.
base::Result<void> visit_place(const queue::Spool& spool, const queue::Place& place, const Selection& selection, base::WallTime now, const queue::Visitor& visitor,
                               const OnEntry& on_entry, const Looking& looking) {
  auto catalog = place.state == queue::State::Deferred && !(looking.with_context && !selection.has_criteria()) ? queue::whole_catalog(spool) : std::nullopt;
  if (!catalog) return queue::View(spool).visit(place, visitor, looking.damaged);
  const bool is_settled = !visitor.keeps_message && !looking.with_context && selection.is_settled_by_brief();
  const queue::BriefVisitor by_rows{
      .wants = [&](const queue::Brief& brief) { return selection.may_take(brief, now); },
      .on_brief = is_settled ? [&](const queue::Brief& brief) { return on_entry(entry_of(brief)); } : std::function<bool(const queue::Brief&)>(),
      .read = visitor,
      .looks_at_files = !looking.only_counts,
  };
  return queue::visit_catalog(spool, *catalog, by_rows, looking.damaged);
}

// `on_seen` has each that had to be read, `on_entry` the others.
base::Result<void> visit(const queue::Spool& spool, const Selection& selection, base::WallTime now, bool keeps_message,
                         const std::function<bool(const queue::Seen&, const Entry&)>& on_seen, const OnEntry& on_entry, const Looking& looking) {
  bool wants_more = true;
  const queue::Visitor visitor{
      [&](const queue::Listed& listed) { return selection.may_take(listed, now); },
      [&](const queue::Item& item) { return selection.may_take(item.envelope); },
      [&](const queue::Seen& seen) {
        const Entry entry = entry_of(seen);
        if (selection.takes(entry, now) && takes_header(selection, seen)) wants_more = on_seen(seen, entry);
        return wants_more;
      },
      keeps_message || selection.wants_header(),
  };
  const OnEntry watched = [&](const Entry& entry) { return wants_more = on_entry(entry); };
  for (const auto& place : spool.places()) {
    if (!selection.takes(place)) continue;
    const auto visited = visit_place(spool, place, selection, now, visitor, watched, looking);
    if (!visited || !wants_more) return visited;
  }
  return {};
}

}  // namespace

base::Result<void> for_each(const queue::Spool& spool, const Selection& selection, base::WallTime now, const OnEntry& on_entry, const Looking& looking) {
  return visit(spool, selection, now, false, [&](const queue::Seen&, const Entry& entry) { return on_entry(entry); }, on_entry, looking);
}

base::Result<void> for_each_seen(const queue::Spool& spool, const Selection& selection, base::WallTime now,
                                 const std::function<bool(const queue::Seen&)>& on_seen) {
  return visit(spool, selection, now, true, [&](const queue::Seen& seen, const Entry&) { return on_seen(seen); }, [](const Entry&) { return true; }, {});
}

base::Result<Target> find_again(const queue::Spool& spool, const queue::Id& id) {
  const auto in_file = spool.find(id);
  if (!in_file) return std::unexpected(in_file.error());
  if (*in_file) return Target{id, (*in_file)->place, false};
  const auto seen = queue::View(spool).find(id);
  if (seen) return Target{id, seen->place, seen->is_in_log};
  if (seen.error().error_number == ENOENT) return std::unexpected(no_such_message(spool, id.text()));
  return std::unexpected(seen.error());
}

base::Result<Target> find_message(const queue::Spool& spool, std::string_view id_or_prefix) {
  const std::string wanted = upper_case(id_or_prefix);
  if (wanted.empty()) return std::unexpected(no_such_message(spool, id_or_prefix));
  if (const auto id = queue::Id::parse(wanted)) return find_again(spool, *id);
  const auto candidates = find_prefix(spool, wanted);
  if (!candidates) return std::unexpected(candidates.error());
  if (candidates->empty()) return std::unexpected(no_such_message(spool, id_or_prefix));
  if (candidates->size() > 1) return std::unexpected(ambiguous(wanted, *candidates));
  return candidates->front();
}

base::Result<queue::Seen> find_seen(const queue::Spool& spool, std::string_view id_or_prefix) {
  const auto target = find_message(spool, id_or_prefix);
  if (!target) return std::unexpected(target.error());
  auto seen = queue::View(spool).find(target->id);
  const auto notes = seen ? queue::bulk_notes_of(spool, target->id) : base::Result<std::vector<queue::Event>>();
  if (!notes) return seen;  // they are no more than remarks
  for (const auto& note : *notes) {
    auto at = seen->events.end();
    while (at != seen->events.begin() && std::prev(at)->time > note.time) --at;
    seen->events.insert(at, note);
  }
  return seen;
}

}  // namespace qctl
