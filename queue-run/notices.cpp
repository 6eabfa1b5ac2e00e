#include "queue-run/notices.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "lib/base/text.h"
#include "lib/mail/field_scan.h"
#include "lib/mail/header.h"

namespace run {
namespace {

namespace text = base::text;
using queue::EventKind;

NoticeKind kind_of(Action action) {
  return action == Action::Failed ? NoticeKind::Failure : action == Action::Delayed ? NoticeKind::Delay : NoticeKind::Success;
}

std::optional<NoticeKind> kind_named(std::string_view name) {
  for (const auto kind : {NoticeKind::Failure, NoticeKind::Delay, NoticeKind::Success, NoticeKind::Double})
    if (name_of(kind) == name) return kind;
  return std::nullopt;
}

// What is to be done with the word of a recipient.
enum class Fitting : std::uint8_t { Tell, TellPostmaster, Keep, Forget };

Fitting fitting_of(const Told& told, const mail::DsnRequest& dsn, const NoticeFacts& facts, const NoticeSettings& settings) {
  const bool tells_nobody = facts.no_bounce || !settings.is_on;
  const auto notify = dsn.of(told.recipient).notify;
  if (told.action == Action::Failed) {
    if (tells_nobody) return Fitting::Keep;
    if (facts.has_sender) return notify == 0 || (notify & mail::kFailure) != 0 ? Fitting::Tell : Fitting::Forget;
    return settings.postmaster.empty() || facts.is_double ? Fitting::Keep : Fitting::TellPostmaster;
  }
  if (tells_nobody || !facts.has_sender) return Fitting::Forget;
  const auto bit = told.action == Action::Delayed ? mail::kDelay : mail::kSuccess;
  const bool may_be_told_unasked = told.action == Action::Delayed && notify == 0;  // RFC 3461 section 4.1
  return (notify & bit) != 0 || may_be_told_unasked ? Fitting::Tell : Fitting::Forget;
}

}  // namespace

EventKind sent_kind(chain::Reach reach, Transport transport, const mail::DsnRequest::Recipient& asked) {
  if ((asked.notify & mail::kSuccess) == 0) return EventKind::Sent;
  switch (reach) {
    case chain::Reach::Mailbox: return EventKind::Sent;
    case chain::Reach::Relayed: return EventKind::Relayed;
    case chain::Reach::Promised: return EventKind::Passed;
    case chain::Reach::Unsaid: break;
  }
  return transport == Transport::Local ? EventKind::Sent : EventKind::Relayed;
}

std::optional<Action> action_of(EventKind kind, const mail::DsnRequest::Recipient& asked) {
  const bool wants_success = (asked.notify & mail::kSuccess) != 0;
  const auto if_wanted = [wants_success](Action action) { return wants_success ? std::optional(action) : std::nullopt; };
  switch (kind) {
    case EventKind::Failed: return Action::Failed;
    case EventKind::Deferred: return Action::Delayed;
    case EventKind::Sent: return if_wanted(Action::Delivered);
    case EventKind::Relayed: return if_wanted(Action::Relayed);
    case EventKind::Expanded: return if_wanted(Action::Expanded);
    default: return std::nullopt;
  }
}

bool is_warning_due(const NoticeFacts& facts, const NoticeSettings& settings, base::WallTime now) {
  return settings.is_on && settings.delay_warning.count() > 0 && facts.has_sender && !facts.no_bounce && !facts.has_warned && now - facts.arrived >= settings.delay_warning;
}

std::vector<Notice> plan_notices(std::vector<Told>& ends, const mail::DsnRequest& dsn, const NoticeFacts& facts, const NoticeSettings& settings) {
  std::array<std::vector<Told>, kNoticeKinds> by_kind;
  std::erase_if(ends, [&](const Told& told) {
    const auto fitting = fitting_of(told, dsn, facts, settings);
    if (fitting == Fitting::Forget) return true;
    if (fitting == Fitting::Keep) return false;
    const auto kind = fitting == Fitting::TellPostmaster ? NoticeKind::Double : kind_of(told.action);
    by_kind[static_cast<std::size_t>(kind)].push_back(told);
    return false;
  });
  std::vector<Notice> notices;
  const std::size_t most = std::max<std::size_t>(1, settings.recipients);
  for (std::size_t kind = 0; kind < kNoticeKinds; ++kind) {
    auto& told = by_kind[kind];
    for (std::size_t begin = 0; begin < told.size(); begin += most) {
      Notice& notice = notices.emplace_back();
      notice.kind = static_cast<NoticeKind>(kind);
      notice.is_double = notice.kind == NoticeKind::Double;
      const auto first = told.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto count = static_cast<std::ptrdiff_t>(std::min(most, told.size() - begin));
      notice.told.assign(std::make_move_iterator(first), std::make_move_iterator(first + count));
    }
  }
  return notices;
}

// Auto-Submitted: RFC 3834; List-Id: RFC 2919; Precedence is no standard's, and in all such mail.
bool is_bulk(std::string_view message) {
  constexpr auto kPrecedences = std::to_array<std::string_view>({"bulk", "list", "junk"});
  mail::FieldScanner fields(message);
  while (const auto field = fields.next()) {
    if (text::equal_ignoring_case(field->name, "List-Id")) return true;
    const auto value = mail::unfold(field->octets.substr(field->body));
    if (text::equal_ignoring_case(field->name, "Auto-Submitted") && !text::starts_with_ignoring_case(value, "no")) return true;
    if (text::equal_ignoring_case(field->name, "Precedence") &&
        std::ranges::any_of(kPrecedences, [&](std::string_view one) { return text::equal_ignoring_case(value, one); }))
      return true;
  }
  return false;
}

void drop_unasked_warnings(std::vector<Notice>& notices, const mail::DsnRequest& dsn) {
  for (auto& notice : notices)
    if (notice.kind == NoticeKind::Delay) std::erase_if(notice.told, [&](const Told& told) { return dsn.of(told.recipient).notify == 0; });
  std::erase_if(notices, [](const Notice& notice) { return notice.told.empty(); });
}

// ---- the record -----------------------------------------------------------------------------------------------------

bool NoticeHistory::has(std::size_t recipient, NoticeKind kind) const { return std::ranges::binary_search(told, std::pair(recipient, kind)); }
bool NoticeHistory::has_any(NoticeKind kind) const {
  return std::ranges::find(told, kind, &std::pair<std::size_t, NoticeKind>::second) != told.end();
}

NoticeHistory notice_history(std::span<const queue::Event> events, const std::function<bool(const queue::Id&)>& is_stored) {
  std::unordered_map<std::string, bool> stored;  // by id
  for (const auto& event : events)
    if (event.kind == EventKind::Noticed) stored[event.destination] = true;
  NoticeHistory history;
  for (const auto& event : events) {
    const auto kind = event.kind == EventKind::Notice && event.recipient ? kind_named(event.text) : std::nullopt;
    if (!kind) continue;
    auto known = stored.find(event.destination);
    if (known == stored.end()) {
      const auto id = queue::Id::parse(event.destination);
      known = stored.emplace(event.destination, id && is_stored(*id)).first;
    }
    if (known->second) history.told.emplace_back(*event.recipient, *kind);
  }
  std::ranges::sort(history.told);
  return history;
}

std::vector<Told> ends_of(std::span<const queue::Event> events, const NoticeHistory& history, const mail::DsnRequest& dsn, std::size_t recipients) {
  std::vector<Told> ends;
  for (const auto& event : events) {
    if (!event.recipient || *event.recipient >= recipients || !queue::settles(event.kind)) continue;
    const auto action = action_of(event.kind, dsn.of(*event.recipient));
    if (!action || history.has(*event.recipient, kind_of(*action)) || history.has(*event.recipient, NoticeKind::Double)) continue;
    ends.push_back({static_cast<std::uint32_t>(*event.recipient), *action, event.text, event.time});
  }
  return ends;
}

std::vector<queue::Event> events_before(const Notice& notice, const Subject& subject) {
  std::vector<queue::Event> events;
  const auto now = base::wall_now();
  for (const auto& told : notice.told)
    events.push_back({now, EventKind::Notice, told.recipient, notice.id.string(), subject.recipients[told.recipient], std::string(name_of(notice.kind))});
  return events;
}

queue::Event event_after(const queue::Id& notice) { return {base::wall_now(), EventKind::Noticed, std::nullopt, notice.string(), {}, {}}; }

}  // namespace run
