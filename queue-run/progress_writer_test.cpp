#include "queue-run/progress_writer.h"

#include "lib/queue/testing.h"

using queue::Event;
using queue::EventKind;
using queue::testing::make_event;
using queue::testing::TestSpool;
using run::ProgressWriter;

namespace {

std::vector<Event> sent(std::size_t recipient) { return {make_event(EventKind::Sent, recipient)}; }

// How often each recipient is recorded.
std::vector<std::size_t> recorded(TestSpool& spool, const queue::Id& id, std::size_t recipients) {
  std::vector<std::size_t> times(recipients);
  const auto events = spool->read_progress(id);
  REQUIRE(events);
  for (const auto& event : *events) ++times.at(event.recipient.value());
  return times;
}

}  // namespace

TEST_CASE("progress_writer: what is appended is there at once, and a sync makes all of it durable") {
  TestSpool spool;
  ProgressWriter writer(*spool);
  const auto one = queue::Id::make(), other = queue::Id::make();
  for (std::size_t i = 0; i < 3; ++i) REQUIRE(writer.append(one, sent(i)));
  REQUIRE(writer.append(other, sent(0)));
  CHECK(recorded(spool, one, 3) == std::vector<std::size_t>{1, 1, 1});
  CHECK(writer.has_unsynced());
  REQUIRE(writer.sync(one));
  CHECK(writer.has_unsynced());
  REQUIRE(writer.sync());
  CHECK_FALSE(writer.has_unsynced());
  CHECK(recorded(spool, other, 1) == std::vector<std::size_t>{1});
}

TEST_CASE("progress_writer: what may be lost needs no sync") {
  TestSpool spool;
  ProgressWriter writer(*spool);
  const auto id = queue::Id::make();
  const std::vector<Event> later = {make_event(EventKind::Deferred, 0, "451 later")};
  REQUIRE(writer.append(id, later));
  CHECK_FALSE(writer.has_unsynced());
  REQUIRE(writer.append(id, sent(1)));
  REQUIRE(writer.append(id, later));
  CHECK(writer.has_unsynced());
  REQUIRE(writer.sync(id));
  CHECK(recorded(spool, id, 2) == std::vector<std::size_t>{2, 1});
}

TEST_CASE("progress_writer: after a sync that failed all of it is written once more") {
  TestSpool spool;
  ProgressWriter writer(*spool);
  const auto id = queue::Id::make();
  const auto folder = spool.path + "/progress", away = spool.path + "/elsewhere";
  REQUIRE(writer.append(id, sent(0)));
  std::filesystem::rename(folder, away);
  CHECK_FALSE(writer.sync());
  CHECK_FALSE(writer.sync(id));
  CHECK_FALSE(writer.append(id, sent(1)));  // the caller keeps this one
  CHECK(writer.has_unsynced());
  std::filesystem::rename(away, folder);
  REQUIRE(writer.append(id, sent(2)));
  CHECK(recorded(spool, id, 3) == std::vector<std::size_t>{2, 0, 1});
  REQUIRE(writer.sync());
  CHECK_FALSE(writer.has_unsynced());
  CHECK(recorded(spool, id, 3) == std::vector<std::size_t>{2, 0, 1});
}

TEST_CASE("progress_writer: of a message that has gone nothing is synced, nor written again") {
  TestSpool spool;
  ProgressWriter writer(*spool);
  const auto id = queue::Id::make();
  const auto folder = spool.path + "/progress", away = spool.path + "/elsewhere";
  REQUIRE(writer.append(id, sent(0)));
  std::filesystem::rename(folder, away);
  CHECK_FALSE(writer.sync());
  std::filesystem::rename(away, folder);
  std::filesystem::remove(spool->progress_path(id));
  writer.forget(id);
  CHECK_FALSE(writer.has_unsynced());
  REQUIRE(writer.sync());
  CHECK_FALSE(std::filesystem::exists(spool->progress_path(id)));
}
