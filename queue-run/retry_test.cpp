#include "queue-run/retry.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using run::RetryPolicy;

namespace {

const base::WallTime kArrived{1'000'000s};
const queue::Id kId = queue::Id::make(kArrived);

auto wait_at_age(std::chrono::milliseconds age) {
  return std::chrono::duration_cast<std::chrono::seconds>(run::next_attempt(RetryPolicy{}, kId, kArrived, kArrived + age) - kArrived - age);
}

}  // namespace

TEST_CASE("retry: the wait is the age of the message, within bounds, and at most a tenth more") {
  struct Row {
    std::chrono::milliseconds age, least;
  };
  for (const auto& [age, least] : {Row{0s, 5min}, Row{4min, 5min}, Row{5min, 5min}, Row{10min, 10min}, Row{2h, 2h}, Row{4h, 4h}, Row{30h, 4h}}) {
    CHECK(wait_at_age(age) >= least);
    CHECK(wait_at_age(age) <= least * 11 / 10);
  }
}

TEST_CASE("retry: a clock that was set back does not make the wait shorter than the least") {
  CHECK(wait_at_age(-3h) >= 5min);
}

TEST_CASE("retry: a clock that was set back makes nobody wait for longer than it was to wait") {
  const auto set = kArrived + 24h;  // by a clock that was a day ahead
  CHECK(run::due_time(set + 5min, set, kArrived) == kArrived + 5min);
  CHECK(run::due_time(set + 5min, set, set - 2min) == set + 3min);
  // By a file system whose clock is another one: nothing can be told.
  CHECK(run::due_time(kArrived + 1h, set, kArrived) == kArrived + 1h);
  // What was set before, and what lies a little ahead, is as it says.
  CHECK(run::due_time(kArrived + 7h, kArrived - 1s, kArrived) == kArrived + 7h);
  CHECK(run::due_time(kArrived + 7h, kArrived + 59s, kArrived) == kArrived + 7h);
  CHECK(run::due_time(kArrived + 7h, kArrived - 24h, kArrived + 24h) == kArrived + 7h);
}

TEST_CASE("retry: messages that failed together are spread") {
  const auto other = queue::Id::make(kArrived + 1us);
  const RetryPolicy policy;
  CHECK(run::next_attempt(policy, kId, kArrived, kArrived) != run::next_attempt(policy, other, kArrived, kArrived));
}

TEST_CASE("retry: the last attempt is at the end of the lifetime") {
  const RetryPolicy policy{.least = 300s, .most = 300s, .lifetime = 400s};
  CHECK(run::next_attempt(policy, kId, kArrived, kArrived + 399s) == kArrived + 400s);
  CHECK_FALSE(run::is_too_old(policy, kArrived, kArrived + 399'999ms));
  CHECK(run::is_too_old(policy, kArrived, kArrived + 400s));
}
