#include "lib/broker/queues.h"

#include <doctest/doctest.h>

using broker::Queues;
using queue::Place;
using queue::State;
using std::chrono::seconds;

TEST_CASE("broker: what has waited waits for the rest of its time, whatever the clock says") {
  using namespace std::chrono_literals;
  const base::WallTime now{1'000'000s};
  CHECK(Queues::left_to_wait({}, 5min, now) == 0s);
  // Put there for 300 seconds, and so for 256: 44 are left, by the clock and by what was said.
  CHECK(Queues::left_to_wait(now + 44s, 300s, now) == 44s);
  CHECK(Queues::left_to_wait(now + 44s, {}, now) == 44s);
  // The clock was set back or forward by a day, or is another host's.
  CHECK(Queues::left_to_wait(now + 24h + 44s, 300s, now) == 44s);
  CHECK(Queues::left_to_wait(now - 24h, 300s, now) == 0s);
  CHECK(Queues::left_to_wait(now + 24h, 256s, now) == 0s);
  CHECK(Queues::left_to_wait(now + 24h, 500ms, now) == 500ms);
  // Longer than any queue.
  CHECK(Queues::left_to_wait(now + 240h, 240h + 131072s, now) == 240h);
}

TEST_CASE("broker: a queue for each state, and back") {
  const Queues queues("mail");
  CHECK(queues.of(Place{State::Working, {}}) == "mail.working");
  CHECK(queues.of(Place{State::Quarantine, "virus/x"}) == "mail.quarantine/virus/x");
  for (const auto& row : queue::kStates) {
    const Place place{row.state, row.state == State::Quarantine ? "a.b/c" : ""};
    CHECK(queues.place_of(queues.of(place)) == place);
  }
  CHECK(queues.place_of("mail.deferred.64") == Place{State::Deferred, {}});
  CHECK_FALSE(queues.place_of("mail.deferred.65"));
  CHECK_FALSE(queues.place_of("other.working"));
}

TEST_CASE("broker: a message waits in a queue that is never too slow for it") {
  const Queues queues("m");
  CHECK(queues.waiting(seconds(0)) == "m.deferred.1");
  CHECK(queues.waiting(seconds(1)) == "m.deferred.1");
  CHECK(queues.waiting(seconds(300)) == "m.deferred.256");
  CHECK(queues.waiting(seconds(131'071)) == "m.deferred.65536");
  CHECK(queues.waiting(seconds(131'072)) == "m.deferred.131072");
  CHECK(queues.waiting(seconds(10'000'000)) == "m.deferred.131072");

  const auto now = base::WallTime(seconds(1'000'000));
  const Place deferred{State::Deferred, {}};
  CHECK(queues.of(deferred, now + seconds(5), now) == "m.deferred.4");
  CHECK(queues.of(deferred, now + std::chrono::milliseconds(999), now) == "m.deferred");
  CHECK(queues.of(deferred, now - seconds(5), now) == "m.deferred");
  CHECK(queues.of(deferred, std::nullopt, now) == "m.deferred");
  CHECK(queues.of(Place{State::Hold, {}}, now + seconds(5), now) == "m.hold");
}

TEST_CASE("broker: any wait is over after a few queues, and never early by more than a second") {
  const Queues queues("m");
  for (const std::int64_t wait : {1, 2, 3, 59, 60, 299, 300, 3600, 14'400, 86'400, 432'000}) {
    base::WallTime now(seconds(1'000'000));
    const auto due = now + seconds(wait);
    int hops = 0;
    while (due - now >= seconds(1)) {
      const auto ttl = queues.spec(queues.of(Place{State::Deferred, {}}, due, now)).ttl_milliseconds;
      REQUIRE(ttl);
      now += std::chrono::milliseconds(*ttl);
      ++hops;
    }
    CHECK(now <= due);
    CHECK(due - now < seconds(1));
    CHECK(hops <= 18);
  }
}

TEST_CASE("broker: no queue drops what expires or is refused") {
  const Queues queues("m");
  CHECK(queues.spec("m.working").dead_letter_queue == "m.dead");
  CHECK(queues.spec("m.deliver").dead_letter_queue == "m.dead");
  CHECK(queues.spec("m.deferred").dead_letter_queue == "m.dead");
  CHECK(queues.spec("m.deferred.8").dead_letter_queue == "m.deferred");
  CHECK(queues.spec("m.deferred.8").ttl_milliseconds == 8000);
  for (const char* name : {"m.dead", "m.hold", "m.quarantine/x", "m.delegated"}) {
    CHECK(queues.spec(name).dead_letter_queue.empty());
    CHECK_FALSE(queues.spec(name).ttl_milliseconds);
  }
}

TEST_CASE("broker: a prefix is a word") {
  CHECK(Queues::is_prefix("vsmtp"));
  CHECK(Queues::is_prefix("a.b_c-1"));
  CHECK(Queues::is_prefix(std::string(100, 'x')));
  CHECK_FALSE(Queues::is_prefix(std::string(101, 'x')));
  CHECK_FALSE(Queues::is_prefix(""));
  CHECK_FALSE(Queues::is_prefix("a/b"));
  CHECK_FALSE(Queues::is_prefix("a b"));
}
