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

}  // namespace

namespace {

base::Result<void> visit(const queue::Spool& spool, const Selection& selection, base::WallTime now, bool keeps_message,
                         const std::function<bool(const queue::Seen&, const Entry&)>& on_seen, std::vector<queue::Foreign>* damaged) {
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
  for (const auto& place : spool.places()) {
    if (!selection.takes(place)) continue;
    const auto visited = queue::View(spool).visit(place, visitor, damaged);
    if (!visited || !wants_more) return visited;
  }
  return {};
}

}  // namespace

base::Result<void> for_each(const queue::Spool& spool, const Selection& selection, base::WallTime now,
                            const std::function<bool(const Entry&)>& on_entry, std::vector<queue::Foreign>* damaged) {
  return visit(spool, selection, now, false, [&](const queue::Seen&, const Entry& entry) { return on_entry(entry); }, damaged);
}

base::Result<void> for_each_seen(const queue::Spool& spool, const Selection& selection, base::WallTime now,
                                 const std::function<bool(const queue::Seen&)>& on_seen) {
  return visit(spool, selection, now, true, [&](const queue::Seen& seen, const Entry&) { return on_seen(seen); }, nullptr);
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
