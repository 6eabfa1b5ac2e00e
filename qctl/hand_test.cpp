#include "qctl/hand.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <set>

#include "lib/queue/log_reader.h"
#include "lib/queue/log_writer.h"
#include "lib/queue/testing.h"

using queue::testing::TestSpool;
using qctl::Hand;
using qctl::Target;
using qctl::Wish;

namespace {

queue::Place place(std::string_view folder) { return *queue::Place::parse(folder); }

// Messages in the log, as a queue-inject that has ended left them.
std::vector<Target> in_log(TestSpool& spool, int count) {
  auto writer = queue::LogWriter::open(*spool, {.segment_octets = 64 << 10});
  REQUIRE(writer);
  std::vector<Target> targets;
  for (int i = 0; i < count; ++i) {
    const auto item = queue::testing::make_item("text");
    (void)writer->add(item, base::Blob::of_octets("text"));
    targets.push_back({item.id, place("working"), true});
  }
  REQUIRE(writer->commit());
  return targets;
}

Target in_file(TestSpool& spool, const queue::Place& where) {
  const auto item = queue::testing::make_item("text");
  REQUIRE(spool->store(item, base::Blob::of_octets("text"), where));
  return {item.id, where, false};
}

// errno of each result, 0 for success.
std::vector<int> carry_out(TestSpool& spool, const Wish& wish, const std::vector<Target>& targets) {
  Hand hand(*spool);
  std::vector<int> numbers;
  std::set<queue::Id> done;
  hand.carry_out(wish, targets, [&](const Target& target, const base::Result<void>& result) {
    CHECK(done.insert(target.id).second);
    numbers.push_back(result ? 0 : result.error().error_number);
  });
  CHECK(hand.finish().has_value());
  return numbers;
}

std::string queue_of(TestSpool& spool, const Target& target) {
  const auto found = qctl::find_again(*spool, target.id);
  if (!found) return found.error().cause;
  return found->place.folder() + (found->is_in_log ? " (log)" : "");
}

}  // namespace

TEST_CASE("qctl hand: without a queue-run, messages in the log get files of their own") {
  TestSpool spool;
  auto targets = in_log(spool, 3);
  const auto file = in_file(spool, place("deferred"));
  targets.push_back(file);
  CHECK(carry_out(spool, {Wish::Kind::Move, place("quarantine/x")}, targets) == std::vector<int>(4, 0));
  for (const auto& target : targets) CHECK(queue_of(spool, target) == "quarantine/x");
  const auto events = spool->read_progress(targets.front().id);
  REQUIRE(events);
  REQUIRE(!events->empty());
  CHECK(events->back().text.starts_with("moved from working to quarantine/x with qctl"));
}

TEST_CASE("qctl hand: without a queue-run, messages in the log are forgotten, and stay so") {
  TestSpool spool;
  const auto targets = in_log(spool, 3);
  CHECK(carry_out(spool, {Wish::Kind::Remove, {}}, {targets[1]}) == std::vector<int>{0});
  CHECK(queue_of(spool, targets[0]) == "working (log)");
  CHECK(queue_of(spool, targets[1]).starts_with("No such message"));
  CHECK(queue_of(spool, targets[2]) == "working (log)");
  auto reader = queue::LogReader::open(*spool, {});
  REQUIRE(reader);
  const auto polled = reader->poll(10);
  REQUIRE(polled);
  CHECK(polled->size() == 2);
}

TEST_CASE("qctl hand: a file that is being delivered is left alone; retrying it is nothing to do") {
  TestSpool spool;
  const auto busy = in_file(spool, place("deferred"));
  const auto taken = spool->take(busy.place, busy.id);
  REQUIRE(taken);
  CHECK(carry_out(spool, {Wish::Kind::Move, place("hold")}, {busy}) == std::vector<int>{EWOULDBLOCK});
  CHECK(carry_out(spool, {Wish::Kind::Remove, {}}, {busy}) == std::vector<int>{EWOULDBLOCK});
  CHECK(carry_out(spool, {Wish::Kind::Retry, {}}, {busy}) == std::vector<int>{0});
  CHECK(queue_of(spool, busy) == "deferred");
}

TEST_CASE("qctl hand: a message that has moved meanwhile is found again; one that is gone is ENOENT") {
  TestSpool spool;
  auto target = in_file(spool, place("deferred"));
  REQUIRE(spool->move(target.id, place("deferred"), place("working")));
  CHECK(carry_out(spool, {Wish::Kind::Move, place("hold")}, {target}) == std::vector<int>{0});
  CHECK(queue_of(spool, target) == "hold");
  REQUIRE(spool->remove(target.id, place("hold")));
  CHECK(carry_out(spool, {Wish::Kind::Move, place("dead")}, {target}) == std::vector<int>{ENOENT});
  // It was in the log when it was looked at, and has a file now.
  auto spilled = in_file(spool, place("deferred"));
  spilled.place = place("working");
  spilled.is_in_log = true;
  CHECK(carry_out(spool, {Wish::Kind::Move, place("hold")}, {spilled}) == std::vector<int>{0});
}

TEST_CASE("qctl hand: a message that moved to where it is not meant is left alone") {
  TestSpool spool;
  const auto target = in_file(spool, place("hold"));
  REQUIRE(spool->move(target.id, place("hold"), place("working")));
  Wish wish{Wish::Kind::Remove, {}};
  wish.follows = [](const queue::Place& now) { return now.state == queue::State::Hold; };
  CHECK(carry_out(spool, wish, {target}) == std::vector<int>{ESTALE});
  CHECK(queue_of(spool, target) == "working");
}

TEST_CASE("qctl hand: the lock of queue-run is given back") {
  TestSpool spool;
  const auto targets = in_log(spool, 1);
  CHECK(carry_out(spool, {Wish::Kind::Move, place("hold")}, targets) == std::vector<int>{0});
  CHECK_FALSE(spool->is_locked("queue-run"));
}
