#include "lib/queue/bulk.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "lib/queue/bulk_notes.h"
#include "lib/queue/testing.h"

using queue::BulkChange;
using queue::testing::TestSpool;

namespace {

constexpr std::size_t kMany = 700;  // several shares

queue::Place place(std::string_view folder) { return *queue::Place::parse(folder); }
base::WallTime at(int seconds) { return base::WallTime(std::chrono::seconds(1'700'000'000 + seconds)); }

std::vector<queue::Id> store(TestSpool& spool, const queue::Place& where, std::size_t count) {
  std::vector<queue::Id> ids;
  for (std::size_t i = 0; i < count; ++i) {
    const auto item = queue::testing::make_item("text");
    auto draft = queue::Draft::begin(*spool, item.id);
    REQUIRE(draft);
    REQUIRE(draft->write(item, base::Blob::of_octets("text")));
    REQUIRE(draft->publish(*spool, where));
    ids.push_back(item.id);
  }
  return ids;
}

bool has_progress(TestSpool& spool, const queue::Id& id) { return ::access(spool->progress_path(id).c_str(), F_OK) == 0; }

}  // namespace

TEST_CASE("bulk: many are moved, each with its note and its time") {
  TestSpool spool;
  const auto ids = store(spool, place("deferred"), kMany);
  const auto results = queue::change_many(*spool, place("deferred"), ids, {BulkChange::Kind::Move, place("quarantine/new"), at(7), "moved by hand"});
  REQUIRE(results.size() == kMany);
  for (const auto& result : results) CHECK(result.has_value());
  CHECK(spool.count("deferred") == 0);
  CHECK(spool.count("quarantine/new") == kMany);
  for (const auto& id : {ids.front(), ids.back()}) {
    const auto entry = spool->find(id);
    REQUIRE((entry && *entry));
    CHECK((*entry)->modified == at(7));
    const auto events = queue::bulk_notes_of(*spool, id);
    REQUIRE((events && events->size() == 1));
    CHECK(events->front().kind == queue::EventKind::Note);
    CHECK(events->front().text == "moved by hand");
    CHECK_FALSE(has_progress(spool, id));
  }
  CHECK(spool->needs_sync());
  CHECK(spool->sync());
}

TEST_CASE("bulk: to where queue-run looks, the time is there with the message") {
  TestSpool spool;
  const auto ids = store(spool, place("hold"), 1);
  CHECK(queue::change_many(*spool, place("hold"), ids, {BulkChange::Kind::Move, place("deferred"), at(9), ""}).front());
  const auto entry = spool->find(ids.front());
  REQUIRE((entry && *entry));
  CHECK((*entry)->place == place("deferred"));
  CHECK((*entry)->modified == at(9));
  CHECK(queue::bulk_notes_of(*spool, ids.front())->empty());
}

TEST_CASE("bulk: many are removed; their records go when that is durable") {
  TestSpool spool;
  const auto ids = store(spool, place("hold"), kMany);
  for (const auto& id : ids) spool->remark(id, "hello");
  for (const auto& result : queue::change_many(*spool, place("hold"), ids, {BulkChange::Kind::Remove, {}, {}, {}})) CHECK(result.has_value());
  CHECK(spool.count("hold") == 0);
  CHECK(has_progress(spool, ids.front()));
  CHECK(spool->sync());
  for (const auto& id : ids) CHECK_FALSE(has_progress(spool, id));
}

TEST_CASE("bulk: many are touched where they are") {
  TestSpool spool;
  const auto ids = store(spool, place("deferred"), kMany);
  for (const auto& result : queue::change_many(*spool, place("deferred"), ids, {BulkChange::Kind::Touch, {}, at(3), {}})) CHECK(result.has_value());
  for (const auto& id : ids) CHECK((*spool->find(id))->modified == at(3));
  CHECK_FALSE(spool->needs_sync());
}

TEST_CASE("bulk: each has its own result: delivered just now, gone, or there already") {
  TestSpool spool;
  auto ids = store(spool, place("deferred"), 4);
  const auto taken = spool->take(place("deferred"), ids[0]);
  REQUIRE(taken);
  REQUIRE(spool->remove(ids[1], place("deferred")));
  std::ofstream(spool->file_path(place("hold"), ids[2])) << "another";
  const auto results = queue::change_many(*spool, place("deferred"), ids, {BulkChange::Kind::Move, place("hold"), at(0), "note"});
  REQUIRE((!results[0] && !results[1] && !results[2]));
  CHECK(results[0].error().error_number == EWOULDBLOCK);
  CHECK(results[1].error().error_number == ENOENT);
  CHECK(results[2].error().error_number == EEXIST);
  CHECK(results[3].has_value());
  CHECK(queue::bulk_notes_of(*spool, ids[0])->empty());
  CHECK(queue::bulk_notes_of(*spool, ids[3])->size() == 1);
  CHECK((*spool->find(ids[0]))->place == place("deferred"));
  CHECK(::access(spool->file_path(place("deferred"), ids[2]).c_str(), F_OK) == 0);
  CHECK(queue::change_many(*spool, place("deferred"), {ids.data() + 1, 1}, {BulkChange::Kind::Touch, {}, at(0), {}}).front().error().error_number == ENOENT);
}

TEST_CASE("bulk: none is nothing to do") {
  TestSpool spool;
  CHECK(queue::change_many(*spool, place("hold"), {}, {BulkChange::Kind::Remove, {}, {}, {}}).empty());
}
