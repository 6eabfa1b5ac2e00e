#include "lib/queue/bulk_notes.h"

#include <doctest/doctest.h>

#include <fstream>

#include "lib/queue/testing.h"

using queue::Event;
using queue::Id;
using queue::testing::TestSpool;

namespace {

Event note(std::string text, int second = 0) {
  return {base::WallTime(std::chrono::seconds(1'700'000'000 + second)), queue::EventKind::Note, {}, "", "", std::move(text)};
}

std::vector<std::string> texts_of(TestSpool& spool, const Id& id) {
  const auto events = queue::bulk_notes_of(*spool, id);
  REQUIRE(events);
  std::vector<std::string> texts;
  for (const auto& event : *events) texts.push_back(event.text);
  return texts;
}

}  // namespace

TEST_CASE("bulk notes: each of many has what was noted of all") {
  TestSpool spool;
  const std::vector ids{Id::make(), Id::make(), Id::make()};
  CHECK(texts_of(spool, ids[0]).empty());
  REQUIRE(queue::note_bulk(*spool, ids, note("moved here")));
  REQUIRE(queue::note_bulk(*spool, {ids.data() + 1, 1}, note("moved there")));
  REQUIRE(queue::note_bulk(*spool, {}, note("nothing")));
  CHECK(texts_of(spool, ids[0]) == std::vector<std::string>{"moved here"});
  CHECK(texts_of(spool, ids[1]) == std::vector<std::string>{"moved here", "moved there"});
  CHECK(texts_of(spool, ids[2]) == std::vector<std::string>{"moved here"});
  CHECK(texts_of(spool, Id::make()).empty());
}

TEST_CASE("bulk notes: the oldest are forgotten") {
  TestSpool spool;
  const std::vector ids{Id::make()};
  const auto octets = 18 + 1 + queue::to_line(note("0")).size();
  for (int i = 0; i < 5; ++i) REQUIRE(queue::note_bulk(*spool, ids, note(std::to_string(i), i), 2 * octets));  // full with the second
  CHECK(texts_of(spool, ids[0]) == std::vector<std::string>{"2", "3", "4"});
}

TEST_CASE("bulk notes: a torn line takes nothing with it, and what is no note is skipped") {
  TestSpool spool;
  const std::vector ids{Id::make()};
  REQUIRE(queue::note_bulk(*spool, ids, note("first")));
  std::ofstream(spool.path + "/bulk.notes", std::ios::app) << ids[0].text() << " 2026-11-21T20:15:00.1";
  REQUIRE(queue::note_bulk(*spool, ids, note("second", 1)));
  CHECK(texts_of(spool, ids[0]) == std::vector<std::string>{"first", "second"});
  const std::string id = ids[0].string();
  CHECK(queue::notes_in("hello " + id + "\n\n" + id + "\n" + id + " nothing\n", ids[0]).empty());
  CHECK(queue::notes_in(id, ids[0]).empty());
  // In the text of another's note.
  CHECK(queue::notes_in(Id::make().string() + " " + queue::to_line(note("copy of " + id)), ids[0]).empty());
}
