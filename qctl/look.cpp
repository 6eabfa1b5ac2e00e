#include "qctl/look.h"

#include <algorithm>
#include <cerrno>

#include "lib/base/text.h"

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
void add_candidate(std::vector<Target>& candidates, const queue::Listed& listed) {
  const auto known = std::ranges::find(candidates, listed.id, &Target::id);
  if (known != candidates.end()) candidates.erase(known);
  candidates.push_back({listed.id, listed.place, listed.is_in_log});
}

base::Result<std::vector<Target>> find_prefix(const queue::Spool& spool, std::string_view prefix) {
  std::vector<Target> candidates;
  const auto on_listed = [&](const queue::Listed& listed) {
    if (listed.id.text().starts_with(prefix)) add_candidate(candidates, listed);
    return candidates.size() <= kShownCandidates;
  };
  for (const auto& place : spool.places()) {
    const auto listed = queue::View(spool).list(place, on_listed);
    if (!listed) return std::unexpected(listed.error());
  }
  return candidates;
}

bool takes_header(const Selection& selection, const queue::Seen& seen) {
  if (!selection.wants_header()) return true;
  const auto view = seen.message.view();
  return view && selection.takes_header(view->octets());
}

}  // namespace

base::Result<void> for_each(const queue::Spool& spool, const Selection& selection, base::WallTime now,
                            const std::function<bool(const Entry&)>& on_entry, std::vector<queue::Foreign>* damaged) {
  bool wants_more = true;
  const auto wants = [&](const queue::Listed& listed) { return selection.may_take(listed, now); };
  const auto on_seen = [&](const queue::Seen& seen) {
    const Entry entry = entry_of(seen);
    if (selection.takes(entry, now) && takes_header(selection, seen)) wants_more = on_entry(entry);
    return wants_more;
  };
  for (const auto& place : spool.places()) {
    if (!selection.takes(place)) continue;
    const auto visited = queue::View(spool).visit(place, wants, on_seen, damaged, selection.wants_header() ? queue::View::Message::Kept : queue::View::Message::Dropped);
    if (!visited) return visited;
    if (!wants_more) break;
  }
  return {};
}

base::Result<void> for_each_seen(const queue::Spool& spool, const Selection& selection, base::WallTime now,
                                 const std::function<bool(const queue::Seen&)>& on_seen) {
  bool wants_more = true;
  const auto wants = [&](const queue::Listed& listed) { return selection.may_take(listed, now); };
  for (const auto& place : spool.places()) {
    if (!selection.takes(place)) continue;
    const auto look = [&](const queue::Seen& seen) {
      if (selection.takes(entry_of(seen), now) && takes_header(selection, seen)) wants_more = on_seen(seen);
      return wants_more;
    };
    const auto visited = queue::View(spool).visit(place, wants, look, nullptr, queue::View::Message::Kept);
    if (!visited || !wants_more) return visited;
  }
  return {};
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
  return queue::View(spool).find(target->id);
}

}  // namespace qctl
