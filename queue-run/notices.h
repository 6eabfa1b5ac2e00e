// Who is to be told what of a message: RFC 3461 section 5, and when it was told already. No I/O.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "lib/queue/progress.h"
#include "queue-run/notice.h"
#include "queue-run/results.h"
#include "queue-run/route.h"

namespace run {

// What decides it for all recipients of a message.
struct NoticeFacts {
  bool has_sender = false;   // the reverse-path is not null
  bool no_bounce = false;    // rules want nobody told
  bool is_double = false;    // it tells the postmaster already
  bool has_warned = false;   // its sender knows that it takes long
  base::WallTime arrived;
};

// What became of a recipient that was sent to, as it is recorded: how far it has come counts only for who has asked.
[[nodiscard]] queue::EventKind sent_kind(chain::Reach reach, Transport transport, const mail::DsnRequest::Recipient& asked);

// Whether something may have to be told of a recipient that ended so, or waits; nothing: never.
[[nodiscard]] std::optional<Action> action_of(queue::EventKind kind, const mail::DsnRequest::Recipient& asked);

[[nodiscard]] bool is_warning_due(const NoticeFacts& facts, const NoticeSettings& settings, base::WallTime now);

// Of `ends`, which nobody has been told of yet: the notices that are due, without their ids, each with no more recipients than
// settings allow. What nobody wants to know is taken out of `ends`; a failure that stays there in no notice can be told to
// nobody, and its message is for an operator.
[[nodiscard]] std::vector<Notice> plan_notices(std::vector<Told>& ends, const mail::DsnRequest& dsn, const NoticeFacts& facts, const NoticeSettings& settings);

// Mail of machines and lists, whose senders are not warned unless they have asked: by its header.
[[nodiscard]] bool is_bulk(std::string_view message);
// Out of the notices of delay those recipients whose sender has not asked for any.
void drop_unasked_warnings(std::vector<Notice>& notices, const mail::DsnRequest& dsn);

// What progress says of notices. `is_stored` looks for one that was about to be stored when a crash came.
struct NoticeHistory {
  std::vector<std::pair<std::size_t, NoticeKind>> told;  // sorted
  [[nodiscard]] bool has(std::size_t recipient, NoticeKind kind) const;
  [[nodiscard]] bool has_any(NoticeKind kind) const;
};
[[nodiscard]] NoticeHistory notice_history(std::span<const queue::Event> events, const std::function<bool(const queue::Id&)>& is_stored);

// Recipients that ended before, and that somebody may want to be told of still.
[[nodiscard]] std::vector<Told> ends_of(std::span<const queue::Event> events, const NoticeHistory& history, const mail::DsnRequest& dsn, std::size_t recipients);

// What is recorded before a notice is stored, and after.
[[nodiscard]] std::vector<queue::Event> events_before(const Notice& notice, const Subject& subject);
[[nodiscard]] queue::Event event_after(const queue::Id& notice);

}  // namespace run
