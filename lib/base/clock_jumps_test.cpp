#include "lib/base/clock_jumps.h"

#include <doctest/doctest.h>

using base::Ages;
using base::ClockJumps;
using base::WallTime;
using namespace std::chrono_literals;

namespace {

const WallTime kNoon = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)) + 12h;

}  // namespace

TEST_CASE("a clock that goes as it should has not jumped, nor one that is corrected a little") {
  ClockJumps jumps;
  CHECK(jumps.look(kNoon, 1000s) == 0ms);
  CHECK(jumps.look(kNoon + 1h, 1000s + 1h) == 0ms);
  CHECK(jumps.look(kNoon + 2h + 59s, 1000s + 2h) == 0ms);
  CHECK(jumps.look(kNoon + 3h + 118s, 1000s + 3h) == 0ms);  // each correction by itself
  CHECK(jumps.look(kNoon + 4h + 178s, 1000s + 4h) == 60s);
}

TEST_CASE("a clock that is set has jumped by as much") {
  ClockJumps jumps;
  jumps.look(kNoon, 0s);
  CHECK(jumps.look(kNoon + 24h + 10s, 10s) == 24h);
  CHECK(jumps.look(kNoon + 24h + 20s, 20s) == 0ms);
  CHECK(jumps.look(kNoon + 30s, 30s) == -24h);
  CHECK(jumps.look(kNoon + 30s - 60s, 30s) == -60s);
}

TEST_CASE("ages do not count the time that the clock has skipped") {
  Ages ages;
  const auto age = [&](WallTime then, WallTime now) { return ages.now_for(then, now) - then; };
  CHECK(age(kNoon - 1h, kNoon) == 1h);
  const auto after = kNoon + 10min + 240h;
  ages.clock_was_set(240h, after);  // at ten past twelve
  CHECK(age(kNoon, after + 5min) == 15min);
  CHECK(age(kNoon - 48h, after + 5min) == 48h + 15min);
  CHECK(age(after + 1min, after + 5min) == 4min);                     // it came behind that
  CHECK(age(kNoon + 100h, after + 5min) == 5min);                     // in the middle of it: another machine's time
  CHECK(age(after + 1h, after) == -1h);                               // in the future
}

TEST_CASE("a jump that is taken back leaves ages as they are") {
  Ages ages;
  const auto age = [&](WallTime then, WallTime now) { return ages.now_for(then, now) - then; };
  ages.clock_was_set(24h, kNoon + 24h);
  ages.clock_was_set(-24h, kNoon + 10min);
  CHECK(age(kNoon - 1h, kNoon + 1h) == 2h - 10min);  // ten minutes too young: what was skipped and what has passed are the same time
  CHECK(age(kNoon + 20min, kNoon + 1h) == 40min);
  CHECK(age(kNoon + 24h + 5min, kNoon + 1h) < 0min);  // it came while the clock was wrong
  ages.clock_was_set(-24h, kNoon - 23h);
  CHECK(age(kNoon - 25h, kNoon - 22h) == 3h);
  CHECK(age(kNoon - 1h, kNoon + 1h) == 2h);
}

TEST_CASE("of many jumps the latest ones are remembered") {
  Ages ages;
  for (int i = 1; i <= 100; ++i) ages.clock_was_set(1h, kNoon + i * 1h);
  const auto age = ages.now_for(kNoon, kNoon + 100h) - kNoon;
  CHECK(age == 84h);
}
