#include "lib/base/in_order.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>

namespace {

TEST_CASE("in order: results come in the order of the things, each once, whoever is ready first") {
  for (const std::size_t threads : {0, 1, 2, 7}) {
    for (const std::size_t count : {0, 1, 2, 5, 3000}) {
      std::vector<std::size_t> seen;
      base::for_each_in_order(
          count, threads,
          [](std::size_t i) {
            if (i % 512 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // the others run ahead
            return i;
          },
          [&](std::size_t i) {
            seen.push_back(i);
            return true;
          });
      REQUIRE(seen.size() == count);
      CHECK(std::ranges::is_sorted(seen));
    }
  }
}

TEST_CASE("in order: ends when nobody takes any more") {
  for (const std::size_t threads : {1, 4}) {
    std::atomic<std::size_t> begun = 0;
    std::size_t taken = 0;
    base::for_each_in_order(
        100'000, threads, [&](std::size_t i) { return ++begun, i; }, [&](std::size_t) { return ++taken < 10; });
    CHECK(taken == 10);
    CHECK(begun < 10'000);
  }
}

TEST_CASE("in order: works at once") {
  std::atomic<int> inside = 0, most = 0;
  base::for_each_in_order(
      8, 4,
      [&](std::size_t) {
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        --inside;
        return 0;
      },
      [](int) { return true; });
  CHECK(most >= 2);
}

}  // namespace
