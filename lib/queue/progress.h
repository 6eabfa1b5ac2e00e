// What happened to a message so far, as append-only text lines: in the file progress/ID for a message with a file of its
// own, and behind the id in log/N.done for one in the log.
//
//   2026-11-21T20:15:01.000001Z deferred 1 mx.example.com[192.0.2.1]:25 <you@example.com> 451 4.7.1 try later
//   2026-11-21T20:15:01.000002Z sent 2 mx.example.net[192.0.2.2]:25 <them@example.net> 250 2.0.0 ok
//
// time, what, number of the recipient (1 is the first in the item; * is the whole message), destination, address, text.
// A field with nothing in it is "-". Blanks in destination and address, and controls everywhere, are written as \xNN.
// A line without its LF was torn by a crash and does not count.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/queue/id.h"

namespace queue {

enum class EventKind : std::uint8_t {
  Sent,       // delivered: this recipient is settled
  Deferred,   // failed for now
  Failed,     // failed for good: settled
  Expanded,   // its delivery goes on under other recipients or messages: settled
  Note,       // anything an operator should read: moved by qctl, lock broken, bounce written
  Finished,   // log only: the message needs nothing more from here (all settled, or it has a file of its own now)
  Relayed,    // delivered, to a host that knows nothing of notifications; the sender has asked for one: settled
  Passed,     // delivered, to a host that notifies the sender itself: settled
  Notice,     // a notification about this recipient is about to be stored, under the id in `destination`
  Noticed,    // ... it is stored, and nobody is told of these recipients again
  Ruled,      // the rules of the stage in `destination` have decided, as the text says
  Unruled,    // they could not, for the reason in the text: the message goes to them again before anything else is done with it
  Delegated,  // the rules of the stage in `destination` want a content filter to see it
  Handed,     // ... `destination` has taken it, and is to give it back
  Back,       // ... it has, and the rules of the stage in `destination` go on at the directive in the text
};

[[nodiscard]] bool settles(EventKind kind);    // the recipient needs nothing more
[[nodiscard]] bool must_last(EventKind kind);  // so does this record: without it something would be done twice

struct Event {
  base::WallTime time = base::wall_now();
  EventKind kind = EventKind::Note;
  std::optional<std::size_t> recipient;  // index in Item::envelope.recipients (0 is the first); empty: the whole message
  std::string destination;               // host, mailbox or transport that was tried
  std::string address;                   // for the reader; the item is what counts
  std::string text;                      // reply of the other side, or the cause
};

[[nodiscard]] std::string to_line(const Event& event);                       // with its LF
[[nodiscard]] std::optional<Event> parse_event(std::string_view line);       // without LF; destination etc. stay escaped
[[nodiscard]] std::vector<Event> parse_events(std::string_view octets);      // whole lines that can be read; others are skipped

// Events of one message, summed up for each recipient.
struct RecipientProgress {
  bool is_settled = false;       // sent, failed for good, or expanded: nothing more to do
  std::size_t deferrals = 0;     // attempts that failed for now
  std::optional<Event> last;     // notices do not count
};
[[nodiscard]] std::vector<RecipientProgress> sum_up(std::span<const Event> events, std::size_t recipients);

}  // namespace queue
