#include "queue-run/schedule.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>

using run::Milliseconds;
using run::Schedule;

namespace {

constexpr auto kReached = Schedule::Ending::Reached;
constexpr auto kFailed = Schedule::Ending::Failed;
constexpr auto kUnavailable = Schedule::Ending::Unavailable;

// A schedule of one transport with a clock that stands until it is moved.
struct Fixture {
  explicit Fixture(Schedule::TransportLimits limits, Schedule::Policy policy = {}) : schedule(policy) { remote = schedule.add_transport("remote", limits); }

  Schedule::Job& add_one(std::string_view host, bool is_fresh = true, int priority = 0, std::uint64_t sender = 0) {
    jobs.emplace_back();
    hosts.emplace_back(host);
    schedule.add(jobs.back(), remote, host, {is_fresh, priority, sender}, now);
    return jobs.back();
  }
  void add(std::string_view host, std::size_t count, bool is_fresh = true) {
    for (std::size_t i = 0; i < count; ++i) add_one(host, is_fresh);
  }
  std::string_view host_of(const Schedule::Job& job) {
    for (std::size_t i = 0; i < jobs.size(); ++i)
      if (&jobs[i] == &job) return hosts[i];
    return "?";
  }
  // The hosts of the jobs that start now, in order: "a a b"; one to be put off is "(a)".
  std::string start_all() {
    std::string order;
    while (const auto decision = schedule.next(now)) {
      order += order.empty() ? "" : " ";
      order += decision->starts ? std::string(host_of(*decision->job)) : "(" + std::string(host_of(*decision->job)) + ")";
      if (decision->starts) open.push_back(decision->job);
    }
    return order;
  }
  void end_first(Schedule::Ending ending, std::string_view reason = "") {
    Schedule::Job& job = *open.front();
    open.pop_front();
    schedule.ended(job, ending, reason, now);
  }
  void end_all(Schedule::Ending ending, std::string_view reason = "") {
    while (!open.empty()) end_first(ending, reason);
  }

  Schedule schedule;
  Schedule::TransportId remote = 0;
  std::deque<Schedule::Job> jobs;
  std::deque<std::string> hosts;
  std::deque<Schedule::Job*> open;
  Milliseconds now = 1'000'000;
};

}  // namespace

TEST_CASE("schedule: destinations take turns") {
  Fixture f({.calls = 6, .calls_per_destination = 6});
  f.add("a", 5);
  f.add("b", 2);
  f.add_one("c");
  CHECK(f.start_all() == "a b c a b a");
}

TEST_CASE("schedule: the limit of a transport holds, at its edge") {
  for (const std::size_t limit : {1, 2, 7}) {
    Fixture f({.calls = limit, .calls_per_destination = 100});
    f.add("a", 4);
    f.add("b", 4);
    f.start_all();
    CHECK(f.schedule.open() == limit);
    CHECK(f.schedule.waiting() == 8 - limit);
    f.end_first(kReached);
    f.start_all();
    CHECK(f.schedule.open() == limit);
  }
}

TEST_CASE("schedule: the limit of a destination holds and leaves room to others") {
  Fixture f({.calls = 10, .calls_per_destination = 2});
  f.add("a", 5);
  f.add("b", 1);
  CHECK(f.start_all() == "a b a");
  f.end_first(kReached);
  CHECK(f.start_all() == "a");
}

TEST_CASE("schedule: one transport does not take the places of another") {
  Fixture f({.calls = 2, .calls_per_destination = 2});
  const auto local = f.schedule.add_transport("local", {.calls = 1, .calls_per_destination = 1});
  f.add("a", 5);
  Schedule::Job own;
  f.schedule.add(own, local, "here", {}, f.now);
  std::size_t started = 0;
  bool own_started = false;
  while (const auto decision = f.schedule.next(f.now)) {
    ++started;
    own_started |= decision->job == &own;
  }
  CHECK(started == 3);
  CHECK(own_started);
}

TEST_CASE("schedule: a higher priority goes first, within a destination and between them") {
  Fixture f({.calls = 1, .calls_per_destination = 1});
  f.add("plain", 3);
  f.add_one("high", true, 1);
  f.add_one("plain", true, 2);
  f.add_one("highest", true, 10);
  f.add_one("plain", true, 1);
  std::string order;
  while (f.schedule.waiting() > 0) {
    order += f.start_all() + " ";
    f.end_all(kReached);
  }
  CHECK(order == "highest plain high plain plain plain plain ");
}

TEST_CASE("schedule: of one priority destinations take turns, and jobs keep their order") {
  Fixture f({.calls = 10, .calls_per_destination = 10});
  f.add("low", 2);
  for (const auto* host : {"a", "a", "a", "b", "b"}) f.add_one(host, true, 3);
  CHECK(f.start_all() == "a b a b a low low");
  Fixture one({.calls = 10, .calls_per_destination = 10});
  auto& last = one.add_one("a", true, 0);
  auto& first = one.add_one("a", true, 4);
  auto& second = one.add_one("a", true, 4);
  one.start_all();
  CHECK(one.open == std::deque<Schedule::Job*>{&first, &second, &last});
}

TEST_CASE("schedule: fresh mail of a priority below 0 waits as old mail does, and old mail has priorities too") {
  Fixture f({.calls = 1, .calls_per_destination = 1});
  f.add_one("bulk", true, -1);
  f.add_one("bulkier", true, -10);
  f.add_one("old", false, 0);
  f.add_one("urgent-old", false, 5);
  f.add_one("fresh");
  std::string order;
  while (f.schedule.waiting() > 0) {
    order += f.start_all() + " ";
    f.end_all(kReached);
  }
  CHECK(order == "fresh urgent-old old bulk bulkier ");
}

TEST_CASE("schedule: jobs of all priorities are handed back, taken out and forgotten") {
  Fixture f({.calls = 1, .calls_per_destination = 1}, {.failures = 1});
  f.add_one("dead", true, 1);
  f.add_one("dead", true, -1);
  auto& gone = f.add_one("dead", true, 2);
  f.add_one("dead", true, 9);
  f.schedule.remove(gone);
  CHECK(f.start_all() == "dead");
  f.end_all(kFailed);
  CHECK(f.start_all() == "(dead) (dead)");
  CHECK(f.schedule.waiting() == 0);
}

TEST_CASE("schedule: fresh mail goes before old") {
  Fixture f({.calls = 1, .calls_per_destination = 1});
  f.add("old", 1, false);
  f.add("fresh", 2);
  CHECK(f.start_all() == "fresh");
  f.end_all(kReached);
  CHECK(f.start_all() == "fresh");
  f.end_all(kReached);
  CHECK(f.start_all() == "old");
}

TEST_CASE("schedule: a flood of fresh mail does not starve old mail") {
  Fixture f({.calls = 1, .calls_per_destination = 1});
  f.add("old", 1, false);
  f.add("fresh", 100);
  std::string order;
  for (int i = 0; i < 10; ++i) {
    order += f.start_all()[0];
    f.end_all(kReached);
  }
  CHECK(order == "ffffffffof");
}

TEST_CASE("schedule: old mail leaves a quarter of the places to fresh mail") {
  Fixture f({.calls = 8, .calls_per_destination = 8});
  f.add("old", 20, false);
  f.start_all();
  CHECK(f.schedule.open() == 6);
  f.add("fresh", 5);
  CHECK(f.start_all() == "fresh fresh");
}

TEST_CASE("schedule: a destination is suspended after failures in a row, and its jobs are put off without a try") {
  Fixture f({.calls = 10, .calls_per_destination = 1}, {.failures = 3, .pause = 1000, .pause_most = 4000, .patience = 0});
  f.add("dead", 6);
  f.add("good", 1);
  CHECK(f.start_all() == "dead good");
  f.end_all(kFailed, "timed out");  // of "good" one failure is not enough
  CHECK(f.start_all() == "dead");
  f.end_all(kFailed, "timed out");
  CHECK(f.start_all() == "dead");
  f.end_all(kFailed, "connection refused");
  const auto decision = f.schedule.next(f.now);
  REQUIRE(decision);
  CHECK_FALSE(decision->starts);
  CHECK(decision->reason == "connection refused");
  CHECK(f.start_all() == "(dead) (dead)");
  f.add_one("dead");
  f.add_one("good");
  CHECK(f.start_all() == "(dead) good");
}

TEST_CASE("schedule: a success between failures keeps the destination") {
  Fixture f({.calls = 1, .calls_per_destination = 1}, {.failures = 2, .pause = 1000, .pause_most = 4000, .patience = 0});
  f.add("a", 5);
  for (const auto ending : {kFailed, kReached, kFailed, kReached, kFailed}) {
    CHECK(f.start_all() == "a");
    f.end_all(ending);
  }
  f.add_one("a");
  CHECK(f.start_all() == "a");
}

TEST_CASE("schedule: after the pause one probe decides; pauses double up to the most") {
  Fixture f({.calls = 10, .calls_per_destination = 5}, {.failures = 1, .pause = 1000, .pause_most = 3000, .patience = 0});
  f.add_one("a");
  f.start_all();
  f.end_all(kFailed);
  for (const Milliseconds pause : {1000, 2000, 3000, 3000}) {
    f.now += pause - 1;
    f.add_one("a");
    CHECK(f.start_all() == "(a)");
    f.now += 1;
    f.add("a", 3);
    CHECK(f.start_all() == "a");
    f.end_all(kFailed);
    CHECK(f.start_all() == "(a) (a)");
  }
  f.now += 3000;
  f.add("a", 4);
  CHECK(f.start_all() == "a");
  f.end_all(kReached);
  CHECK(f.start_all() == "a a");  // the window grows by one with each success
}

TEST_CASE("schedule: calls that were open when the destination was suspended do not lengthen the pause") {
  Fixture f({.calls = 10, .calls_per_destination = 10}, {.failures = 2, .pause = 1000, .pause_most = 100'000, .patience = 0});
  f.add("a", 10);
  f.start_all();
  f.end_all(kFailed);
  f.now += 1000;
  f.add_one("a");
  CHECK(f.start_all() == "a");
}

TEST_CASE("schedule: forgive ends a suspension") {
  Fixture f({.calls = 10, .calls_per_destination = 10}, {.failures = 1, .pause = 1000, .pause_most = 1000, .patience = 0});
  f.add_one("a");
  f.add_one("b");
  f.start_all();
  f.end_all(kFailed);
  f.schedule.forgive("a");
  f.add_one("a");
  f.add_one("b");
  CHECK(f.start_all() == "(b) a");
  f.schedule.forgive("");
  f.add_one("b");
  CHECK(f.start_all() == "b");
}

TEST_CASE("schedule: a transport that cannot be called is tried again soon by one job, and nothing is put off") {
  Fixture f({.calls = 10, .calls_per_destination = 10}, {.failures = 1, .pause = 1000, .pause_most = 1000, .patience = 1000});
  f.add("a", 3);
  f.add("b", 1);
  CHECK(f.start_all() == "a b a a");
  f.end_all(kUnavailable, "no socket");
  CHECK(f.start_all().empty());
  CHECK(f.schedule.wakes_at() == f.now + 50);
  f.now += 50;
  CHECK(f.start_all().size() == 1);
  CHECK(f.schedule.wakes_at() == run::kNever);
  f.end_all(kReached);
  CHECK(f.start_all().size() == 5);  // the other three
  CHECK(f.schedule.wakes_at() == run::kNever);
}

TEST_CASE("schedule: after some patience with a transport all is put off") {
  Fixture f({.calls = 10, .calls_per_destination = 10}, {.failures = 1, .pause = 1000, .pause_most = 1000, .patience = 1000});
  f.add("a", 2);
  f.add("b", 1);
  std::string order;
  const auto begin = f.now;
  while (f.now < begin + 10'000 && (order = f.start_all()).find('(') == std::string::npos) {
    f.end_all(kUnavailable, "no socket");
    if (f.schedule.wakes_at() != run::kNever) f.now = f.schedule.wakes_at();
  }
  CHECK(std::ranges::count(order, '(') == 3);
  CHECK(f.now >= begin + 1000);
  CHECK(f.now < begin + 3500);
  CHECK(f.schedule.waiting() == 0);
  CHECK(f.schedule.unavailable() == "no socket");
  f.add_one("c");
  CHECK(f.start_all() == "(c)");
  f.now += 5000;
  f.add_one("c");
  CHECK(f.start_all() == "c");
  f.end_all(kReached);
  CHECK(f.schedule.unavailable().empty());
  f.add("c", 2);
  CHECK(f.start_all() == "c c");
}

TEST_CASE("schedule: a job that waits can be removed") {
  Fixture f({.calls = 1, .calls_per_destination = 1}, {.failures = 1, .pause = 1000, .pause_most = 1000, .patience = 0});
  f.add_one("a");
  auto& gone = f.add_one("a");
  f.start_all();
  f.schedule.remove(gone);
  CHECK(f.schedule.waiting() == 0);
  auto& to_put_off = f.add_one("a");
  f.end_all(kFailed);
  f.schedule.remove(to_put_off);
  CHECK(f.start_all().empty());
}

TEST_CASE("schedule: what is known of dead destinations is forgotten in the end") {
  Fixture f({.calls = 10, .calls_per_destination = 10}, {.failures = 1, .pause = 10, .pause_most = 10, .patience = 0});
  for (int i = 0; i < 5000; ++i) {
    f.add_one("host" + std::to_string(i));
    f.start_all();
    f.end_all(kFailed);
    f.now += 1;
  }
  CHECK(f.schedule.status(f.now).size() < 1100);
}

TEST_CASE("schedule: status names what waits and why") {
  Fixture f({.calls = 1, .calls_per_destination = 1}, {.failures = 1, .pause = 1000, .pause_most = 1000, .patience = 0});
  f.add("a", 2);
  f.start_all();
  const auto rows = f.schedule.status(f.now);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].host == "a");
  CHECK(rows[0].open == 1);
  CHECK(rows[0].waiting == 1);
  CHECK(rows[0].suspended_for == 0);
  f.end_all(kFailed, "no route");
  CHECK(f.schedule.status(f.now + 100)[0].suspended_for == 900);
  CHECK(f.schedule.status(f.now)[0].reason == "no route");
}

TEST_CASE("schedule: senders take turns at one destination, however many messages one of them has") {
  Fixture f({.calls = 10, .calls_per_destination = 2});
  for (int i = 0; i < 100; ++i) f.add_one("a", true, 0, 1);
  CHECK(f.start_all() == "a a");
  auto& other = f.add_one("a", true, 0, 2);
  auto& third = f.add_one("a", true, 0, 3);
  f.end_first(kReached);
  f.start_all();
  f.end_first(kReached);
  f.start_all();
  f.end_first(kReached);
  f.start_all();
  CHECK(std::ranges::count(f.open, &other) + std::ranges::count(f.open, &third) == 2);
  for (int i = 0; i < 97; ++i) {
    f.end_first(kReached);
    CHECK_FALSE(f.start_all().empty());
  }
}

TEST_CASE("schedule: a mailing to many destinations does not stand before the message of another sender") {
  Fixture f({.calls = 5, .calls_per_destination = 5});
  for (int i = 0; i < 10'000; ++i) f.add_one("host" + std::to_string(i), true, 0, 1);
  f.start_all();
  f.add_one("elsewhere", true, 0, 2);
  f.add_one("host9000", true, 0, 3);
  for (int i = 0; i < 3; ++i) {
    f.end_first(kReached);
    f.start_all();
  }
  std::string started;
  for (const auto* job : f.open) started += std::string(f.host_of(*job)) + " ";
  CHECK(started.find("elsewhere ") != std::string::npos);
  CHECK(started.find("host9000 ") != std::string::npos);
}

TEST_CASE("schedule: all jobs start in the end, whatever is removed meanwhile") {
  for (const std::size_t places : {1, 2, 5}) {
    Fixture f({.calls = 3, .calls_per_destination = places});
    std::vector<Schedule::Job*> removed;
    for (int i = 0; i < 300; ++i) {
      auto& job = f.add_one("host" + std::to_string(i % 4), i % 3 != 0, i % 2, static_cast<std::uint64_t>(i % 7));
      if (i % 5 == 0) removed.push_back(&job);
      if (i % 11 == 0) f.start_all();
    }
    std::size_t ended = 0, gone = 0;
    for (auto* job : removed) {
      if (!job->is_waiting) continue;
      f.schedule.remove(*job);
      ++gone;
    }
    f.start_all();
    for (; !f.open.empty(); ++ended) {
      f.end_first(kReached);
      f.start_all();
    }
    CHECK(ended + gone == 300);
    CHECK(f.schedule.waiting() == 0);
    CHECK(f.schedule.status(f.now).empty());
  }
}

TEST_CASE("schedule: a destination of which nothing is known gets few calls at first, and more with each that gets through") {
  Fixture f({.calls = 100, .calls_per_destination = 6, .calls_at_first = 2});
  f.add("a", 20);
  CHECK(f.start_all() == "a a");
  f.end_first(kReached);
  CHECK(f.start_all() == "a a");
  f.end_all(kReached);  // three more
  CHECK(f.start_all() == "a a a a a a");
  f.end_first(kFailed);
  CHECK(f.schedule.status(f.now)[0].window == 3);
}

TEST_CASE("schedule: a destination has limits of its own") {
  Fixture f({.calls = 100, .calls_per_destination = 4, .own = [](std::string_view host) {
               return host == "slow" ? Schedule::DestinationLimits{.calls = 1} : host == "fast" ? Schedule::DestinationLimits{.calls = 6} : Schedule::DestinationLimits{};
             }});
  f.add("slow", 3);
  f.add("fast", 8);
  f.add("other", 5);
  const std::string order = f.start_all();
  CHECK(f.schedule.open() == 1 + 6 + 4);
  CHECK(order.find("slow") == order.rfind("slow"));
}

TEST_CASE("schedule: calls to a destination start no sooner than its interval after each other") {
  Fixture f({.calls = 100, .calls_per_destination = 10, .interval = 1000});
  f.add("a", 3);
  f.add("b", 1);
  CHECK(f.start_all() == "a b");
  f.end_first(kReached);
  CHECK(f.start_all().empty());
  CHECK(f.schedule.wakes_at() == f.now + 1000);
  f.now += 999;
  CHECK(f.start_all().empty());
  f.now += 1;
  CHECK(f.start_all() == "a");
  f.end_all(kReached);
  f.now += 1000;
  CHECK(f.start_all() == "a");
  f.end_all(kReached);
  f.add("a", 1);  // all were gone: the interval counts nevertheless
  CHECK(f.start_all().empty());
  f.now += 1000;
  CHECK(f.start_all() == "a");
  f.end_all(kReached);
  f.now += 1000;
  CHECK(f.start_all().empty());
  CHECK(f.schedule.status(f.now).empty());
  CHECK(f.schedule.wakes_at() == run::kNever);
}

TEST_CASE("schedule: destinations that were suspended and answer are told once") {
  Fixture f({.calls = 10, .calls_per_destination = 5}, {.failures = 1, .pause = 1000, .pause_most = 3000, .patience = 0});
  f.add_one("a");
  f.start_all();
  f.end_all(kFailed);
  CHECK(f.schedule.take_recovered().empty());
  f.now += 1000;
  f.add("a", 2);
  f.start_all();
  f.end_all(kReached);
  CHECK(f.schedule.take_recovered() == std::vector<std::string>{"a"});
  f.start_all();
  f.end_all(kReached);
  CHECK(f.schedule.take_recovered().empty());
}

TEST_CASE("schedule: pauses are longer by a share of their own for each destination") {
  Fixture f({.calls = 1000, .calls_per_destination = 5}, {.failures = 1, .pause = 1000, .pause_most = 3000, .patience = 0, .jitter_percent = 10});
  for (int i = 0; i < 100; ++i) f.add_one("host" + std::to_string(i));
  f.start_all();
  f.end_all(kFailed);
  Milliseconds least = run::kNever, most = 0;
  for (const auto& row : f.schedule.status(f.now)) {
    least = std::min(least, row.suspended_for);
    most = std::max(most, row.suspended_for);
  }
  CHECK(least >= 1000);
  CHECK(least < 1030);
  CHECK(most > 1070);
  CHECK(most <= 1100);
}

TEST_CASE("schedule: of very many dead destinations not all are remembered") {
  Fixture f({.calls = 10, .calls_per_destination = 10}, {.failures = 1, .pause = 1'000'000, .pause_most = 1'000'000, .patience = 0, .remembered = 2000});
  for (int i = 0; i < 20'000; ++i) {
    f.add_one("host" + std::to_string(i));
    f.start_all();
    f.end_all(kFailed);
  }
  CHECK(f.schedule.status(f.now).size() <= 4000);
}
