#include "lib/queue/item.h"

#include <doctest/doctest.h>

#include <set>

#include "lib/queue/place.h"
#include "lib/queue/progress.h"

namespace {

queue::Item sample() {
  queue::Item item;
  item.id = *queue::Id::parse("1NH7ZK4TQ2N00A3W05");
  item.arrived = *base::parse_rfc3339("2026-11-21T20:15:00.123456Z");
  item.envelope = {"me@example.org", {"you@example.com", "\"odd > name\"@example.net"}};
  item.context = R"({"a":1})";
  item.message_octets = 5;
  return item;
}

constexpr std::string_view kSample =
    "vsmtp-item 1\n"
    "id 1NH7ZK4TQ2N00A3W05\n"
    "arrived 2026-11-21T20:15:00.123456Z\n"
    "sender <me@example.org>\n"
    "recipient <you@example.com>\n"
    "recipient <\"odd > name\"@example.net>\n"
    "context 8\n"
    "message 5\n"
    "\n"
    "{\"a\":1}\n"
    "hello";

}  // namespace

TEST_CASE("item: is written as vsmtp-spool(5) shows it, and read again") {
  CHECK(queue::to_octets(sample()) + "hello" == kSample);
  std::uint64_t offset = 0;
  const auto item = queue::parse_item(kSample, kSample.size(), offset);
  REQUIRE(item);
  CHECK(kSample.substr(offset) == "hello");
  CHECK(item->id == sample().id);
  CHECK(item->arrived == sample().arrived);
  CHECK(item->envelope.reverse_path == "me@example.org");
  CHECK(item->envelope.recipients == sample().envelope.recipients);
  CHECK(item->context == sample().context);
  CHECK(item->message_octets == 5);
}

TEST_CASE("item: every cut is seen, and asks for more octets when there are more") {
  std::uint64_t offset = 0;
  const auto header = kSample.size() - 5;
  for (std::size_t cut = 0; cut < kSample.size(); ++cut) {
    CAPTURE(cut);
    const auto torn = queue::parse_item(kSample.substr(0, cut), cut, offset);
    REQUIRE_FALSE(torn);
    CHECK(torn.error().fault == base::Fault::Permanent);
    const auto partial = queue::parse_item(kSample.substr(0, cut), kSample.size(), offset);
    CHECK(partial.has_value() == (cut >= header));
    if (!partial) CHECK(partial.error().fault == base::Fault::Temporary);
  }
  CHECK_FALSE(queue::parse_item(std::string(kSample) + "x", kSample.size() + 1, offset));
}

TEST_CASE("item: what is not an item") {
  const auto with = [](std::string_view line, std::string_view instead) {
    std::string octets(kSample);
    return octets.replace(octets.find(line), line.size(), instead);
  };
  for (const auto& octets : {with("item 1", "item 2"), with("id 1NH", "id lNH"), with("T20:15", "T25:15"), with("<me@example.org>", "me@example.org"),
                             with("recipient <you@example.com>\n", "recipient you\n"), with("recipient <y", "recipient  <y"), with("context 8", "context 08"),
                             with("context 8", "context 7"), with("context 8", "context 0"), with("context 8", "context 99999999999999999999"),
                             with("message 5", "message 6"), with("message 5", "message 18446744073709551615"), with("context 8", "context 18446744073709551615"),
                             with("\n\n", "\n"), with("you@", "you\r@"), with("sender", "Sender"), std::string("hello"), std::string(1, '\0')}) {
    CAPTURE(octets);
    std::uint64_t offset = 0;
    const auto item = queue::parse_item(octets, octets.size(), offset);
    REQUIRE_FALSE(item);
    CHECK(item.error().fault == base::Fault::Permanent);
  }
  const std::string no_recipient = "vsmtp-item 1\nid 1NH7ZK4TQ2N00A3W05\narrived 2026-11-21T20:15:00.123456Z\nsender <>\ncontext 3\nmessage 0\n\n{}\n";
  std::uint64_t offset = 0;
  CHECK_FALSE(queue::parse_item(no_recipient, no_recipient.size(), offset));
}

TEST_CASE("item: addresses and contexts that cannot stand on a line") {
  CHECK(queue::is_storable_address(""));
  CHECK(queue::is_storable_address("a b>@c"));
  for (const auto& bad : {std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3)}) CHECK_FALSE(queue::is_storable_address(bad));
  CHECK(queue::one_line("{\r\n \"a\": 1\n}") == "{   \"a\": 1 }");
}

TEST_CASE("id: 18 characters, sorted by time, never twice") {
  std::set<std::string> seen;
  queue::Id last;
  for (int i = 0; i < 10'000; ++i) {
    // A clock that is set back does not matter.
    const auto id = queue::Id::make(base::wall_now() - std::chrono::seconds(i));
    CHECK(last < id);
    last = id;
    seen.insert(id.string());
  }
  CHECK(seen.size() == 10'000);
  CHECK(last.text().size() == 18);
  CHECK(queue::Id::parse(last.text()) == last);
  const auto now = base::wall_now() + std::chrono::hours(1);
  CHECK(queue::Id::make(now).time() == std::chrono::time_point_cast<std::chrono::microseconds>(now));
  for (const char* bad : {"", "1NH7ZK4TQ2N00A3W0", "1NH7ZK4TQ2N00A3W055", "1nh7zk4tq2n00a3w05", "1NH7ZK4TQ2N00A3W0I", "../../../etc/passw", "1NH7ZK4TQ2N00A3W0/"})
    CHECK_FALSE(queue::Id::parse(bad));
}

TEST_CASE("place: the folders of the spool and nothing else") {
  using queue::Place;
  for (const auto& row : queue::kStates) {
    if (row.state == queue::State::Quarantine) continue;
    REQUIRE(Place::parse(row.folder));
    CHECK(Place::parse(row.folder)->state == row.state);
    CHECK(Place::parse(row.folder)->folder() == row.folder);
  }
  CHECK(Place::parse("quarantine/spam-2.x")->quarantine == "spam-2.x");
  CHECK(Place::parse("quarantine/spam")->folder() == "quarantine/spam");
  CHECK(Place::parse("quarantine/" + std::string(64, 'a')));
  CHECK(Place::parse("quarantine/a/b/c/d")->quarantine == "a/b/c/d");
  CHECK(Place::parse("quarantine/a/b/c/d")->folder() == "quarantine/a/b/c/d");
  for (const auto& bad : {std::string(), std::string("quarantine"), std::string("quarantine/"), std::string("quarantine/.."), std::string("quarantine/a/../b"),
                          std::string("quarantine/a/b/c/d/e"), std::string("quarantine//a"), std::string("quarantine/a/"), std::string("quarantine/a//b"), std::string("quarantine/a/.b"),
                          "quarantine/" + queue::Id::make().string(), "quarantine/a/" + queue::Id::make().string(), std::string("quarantine/a\0b", 14),
                          std::string("hold/"), std::string("hold/x"), std::string("Hold"), std::string("tmp"), "quarantine/" + std::string(65, 'a')})
    CHECK_FALSE(Place::parse(bad));
}

TEST_CASE("progress: lines are read as they are written, torn ones do not count") {
  queue::Event event;
  event.time = *base::parse_rfc3339("2026-11-21T20:15:01.000001Z");
  event.kind = queue::EventKind::Deferred;
  event.recipient = 1;
  event.destination = "mx.example.com[192.0.2.1]:25";
  event.address = "\"a b\"@example.com";
  event.text = "451 4.7.1 try\r\nlater";
  const auto line = queue::to_line(event);
  CHECK(line == "2026-11-21T20:15:01.000001Z deferred 2 mx.example.com[192.0.2.1]:25 \"a\\x20b\"@example.com 451 4.7.1 try\\x0d\\x0alater\n");
  const auto read = queue::parse_events(line + "rubbish\n" + line + line.substr(0, line.size() - 1));
  REQUIRE(read.size() == 2);
  CHECK(read[0].time == event.time);
  CHECK(read[0].recipient == event.recipient);
  CHECK(read[0].text == "451 4.7.1 try\\x0d\\x0alater");

  queue::Event note;
  note.time = event.time;
  CHECK(queue::to_line(note) == "2026-11-21T20:15:01.000001Z note * - - -\n");
  for (std::size_t cut = 0; cut + 1 < line.size(); ++cut) (void)queue::parse_event(line.substr(0, cut));
  for (const char* bad : {"", " ", "2026-11-21T20:15:01.000001Z", "2026-11-21T20:15:01.000001Z sent", "2026-11-21T20:15:01.000001Z sent 0 - - -",
                          "2026-11-21T20:15:01.000001Z lost 1 - - -", "2026-11-21T20:15:01.000001Z sent -1 - - -"})
    CHECK_FALSE(queue::parse_event(bad));
}

TEST_CASE("progress: summed up for each recipient") {
  using queue::EventKind;
  const auto event = [](EventKind kind, std::optional<std::size_t> recipient) {
    queue::Event made;
    made.kind = kind;
    made.recipient = recipient;
    return made;
  };
  const std::vector<queue::Event> events = {event(EventKind::Deferred, 0), event(EventKind::Sent, 1),     event(EventKind::Deferred, 0),
                                            event(EventKind::Failed, 2),   event(EventKind::Expanded, 3), event(EventKind::Note, {}),
                                            event(EventKind::Sent, 99)};
  const auto progress = queue::sum_up(events, 5);
  REQUIRE(progress.size() == 5);
  CHECK_FALSE(progress[0].is_settled);
  CHECK(progress[0].deferrals == 2);
  CHECK(progress[1].is_settled);
  CHECK(progress[2].is_settled);
  CHECK(progress[3].is_settled);
  CHECK_FALSE(progress[4].is_settled);
  CHECK_FALSE(progress[4].last);
}
