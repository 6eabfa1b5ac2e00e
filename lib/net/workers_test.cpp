#include "lib/net/workers.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <set>

#include "lib/base/clock.h"

namespace {

void sleep_milliseconds(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

TEST_CASE("workers: each piece is worked on once, and told of in the loop's thread") {
  net::Loop loop;
  net::Workers workers(loop, 10);
  constexpr std::size_t kPieces = 20'000;
  std::atomic<std::size_t> worked = 0;
  std::size_t told = 0;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  const auto loops = std::this_thread::get_id();
  const std::function<void()> give = [&] {
    workers.give(
        [&] {
          ++worked;
          const std::lock_guard lock(mutex);
          threads.insert(std::this_thread::get_id());
        },
        [&] {
          CHECK(std::this_thread::get_id() == loops);
          if (++told == kPieces) loop.stop();
          if (told <= kPieces / 2) give();  // from inside done(), too
        });
  };
  for (std::size_t i = 0; i < kPieces / 2; ++i) give();
  loop.run();
  CHECK(worked == kPieces);
  CHECK_FALSE(threads.contains(loops));
}

TEST_CASE("workers: as many wait together as may, and no more") {
  net::Loop loop;
  net::Workers workers(loop, 30);
  std::atomic<int> inside = 0, most = 0;
  int told = 0;
  const auto begin = base::monotonic_milliseconds();
  for (int i = 0; i < 60; ++i)
    workers.give(
        [&] {
          const int now = ++inside;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
          sleep_milliseconds(300);
          --inside;
        },
        [&] {
          if (++told == 60) loop.stop();
        });
  loop.run();
  CHECK(most == 30);
  CHECK(base::monotonic_milliseconds() - begin < 60 * 300 / 4);  // far from one after the other
}

TEST_CASE("workers: one that waits holds nobody up") {
  net::Loop loop;
  net::Workers workers(loop, 100);
  std::atomic<bool> may_end = false;
  int told = 0;
  for (int i = 0; i < 50; ++i)
    workers.give(
        [&] {
          while (!may_end) sleep_milliseconds(1);
        },
        [&] { ++told; });
  workers.give([&] { may_end = true; }, [&] { ++told; });  // comes last, and frees all
  net::Timer end(loop, [&] {
    if (told == 51) loop.stop();
  });
  end.start(5, 5);
  loop.run();
  CHECK(told == 51);
}

TEST_CASE("workers: the loop goes on until all is done, and no longer") {
  net::Loop loop;
  net::Workers workers(loop, 3);
  int told = 0;
  for (int i = 0; i < 7; ++i)
    workers.give([] { sleep_milliseconds(20); },
                 [&] {
                   if (++told == 7) workers.give([] {}, [&] { ++told; });
                 });
  loop.run();
  CHECK(told == 8);
}

TEST_CASE("workers: the end waits for what is under way, and tells of nothing") {
  std::atomic<int> ended = 0;
  bool is_told = false;
  net::Loop loop;
  {
    net::Workers workers(loop, 2);
    std::atomic<bool> has_begun = false;
    workers.give(
        [&] {
          has_begun = true;
          sleep_milliseconds(30);
          ++ended;
        },
        [&] { is_told = true; });
    while (!has_begun) sleep_milliseconds(1);
  }
  CHECK(ended == 1);
  CHECK_FALSE(is_told);
}

}  // namespace
