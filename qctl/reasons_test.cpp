#include "qctl/reasons.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace std::chrono_literals;
using queue::EventKind;

namespace {
const base::WallTime kNow{1'800'000'000s};

queue::Seen seen_in(std::string_view folder, std::string context = "{}") {
  queue::Seen seen;
  seen.place = *queue::Place::parse(folder);
  seen.item.arrived = kNow - 1h;
  seen.item.envelope = {"me@here.example", {"a@one.example", "b@two.example"}};
  seen.item.context = std::move(context);
  seen.modified = kNow + 10min;
  return seen;
}

qctl::Surroundings around(std::vector<qctl::RunStatus::Destination> destinations = {}) {
  qctl::Surroundings around{.now = kNow, .is_served = true, .running = qctl::RunStatus()};
  around.running->destinations = std::move(destinations);
  return around;
}

bool has(const std::vector<std::string>& sentences, std::string_view text) {
  return std::ranges::find(sentences, text) != sentences.end();
}
}  // namespace

TEST_CASE("qctl why: a deferred message tells its next attempt, its recipients and their destinations") {
  auto seen = seen_in("deferred");
  seen.events = {{kNow - 30min, EventKind::Deferred, 0, "mx.one.example[192.0.2.1]:25", "", "451 later"},
                 {kNow - 20min, EventKind::Deferred, 0, "mx.one.example[192.0.2.1]:25", "", "452 full"},
                 {kNow - 20min, EventKind::Sent, 1, "mx.two.example", "", "250 ok"}};
  const auto sentences = reasons_of(seen, around({{"remote", "one.example", 0, 0, 1, 42, "no connection"}, {"remote", "two.example", 1, 3, 1, 0, ""},
                                                  {"remote", "three.example", 0, 0, 1, 42, "no connection"}}));
  CHECK(has(sentences, "its next attempt is in 10m, at 2027-01-15T08:10:00.000000Z"));
  CHECK(has(sentences, "<a@one.example> was put off 2 times, last 20m ago by mx.one.example[192.0.2.1]:25: 452 full"));
  CHECK(has(sentences, "destination one.example (remote) is suspended for another 42s: no connection"));
  CHECK(has(sentences, "destination two.example (remote) is busy: 1 of 1 calls are open, 3 wait"));
  CHECK(sentences.size() == 4);
}

TEST_CASE("qctl why: without a queue-run nothing is delivered") {
  const auto sentences = qctl::reasons_of(seen_in("working"), {.now = kNow, .is_served = false, .running = {}});
  CHECK(has(sentences, "<a@one.example> was not tried yet"));
  CHECK(has(sentences, "no queue-run serves the spool: nothing is delivered"));
  CHECK(has(qctl::reasons_of(seen_in("working"), {.now = kNow, .is_served = true, .running = {}}), "queue-run serves the spool, but does not answer"));
}

TEST_CASE("qctl why: what rules said, and who moved it") {
  CHECK(has(qctl::reasons_of(seen_in("hold", R"({"hold":"look at this"})"), around()), "a rule holds it: look at this"));
  auto held = seen_in("hold");
  held.events = {{kNow - 5min, EventKind::Note, {}, "", "", "moved from working to hold with qctl by uid 0"}};
  CHECK(has(qctl::reasons_of(held, around()), "moved from working to hold with qctl by uid 0, 5m ago"));
  CHECK(has(qctl::reasons_of(seen_in("quarantine/virus", R"({"quarantine":{"rule":"scan","stage":"postq","reason":"Eicar","time":"2027-01-15T07:00:00.000000Z"}})"), around()),
            "rule \"scan\" set it aside in stage postq, 1h00m ago: Eicar"));
  CHECK(has(qctl::reasons_of(seen_in("deferred", R"({"put_off":{"reason":"450 greylisted"}})"), around()), "a rule put it off: 450 greylisted"));
  CHECK(has(qctl::reasons_of(seen_in("working", R"({"metadata":{"skipped":{"Faccept":{"Left":"Ok"}}}})"), around()), R"(its rules have ended with {"Faccept":{"Left":"Ok"}})"));
  CHECK(has(qctl::reasons_of(seen_in("dead", "no JSON"), around()), "it is not tried again unless it is released"));
}

TEST_CASE("qctl why: of many recipients the first are named") {
  auto seen = seen_in("deferred");
  seen.item.envelope.recipients.assign(25, "a@one.example");
  CHECK(has(qctl::reasons_of(seen, around()), "and so on for 5 more recipients"));
}

TEST_CASE("qctl: what queue-run says of itself is read with patience") {
  const auto status = qctl::parse_run_status(R"({"pid":7,"messages":"many","deferred":3,"destinations":[{"transport":"remote","host":"x","open":1,"waiting":2,"window":4,"suspended_seconds":9,"reason":"r"},7]})");
  REQUIRE(status);
  CHECK(status->pid == 7);
  CHECK(status->messages == 0);
  CHECK(status->deferred == 3);
  REQUIRE(status->destinations.size() == 1);
  CHECK(status->destinations.front().suspended_seconds == 9);
  CHECK_FALSE(qctl::parse_run_status("retry all").has_value());
  CHECK(qctl::parse_run_status("{}")->destinations.empty());
}
