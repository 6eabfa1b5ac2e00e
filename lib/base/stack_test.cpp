#include "lib/base/stack.h"

#include <doctest/doctest.h>
#include <pthread.h>

#include <algorithm>
#include <cstddef>

namespace {

struct Seen {
  std::size_t outside = 0, inside = 0;
};

std::size_t left_below(int calls);
std::size_t (*volatile deeper)(int) = left_below;  // else a compiler makes a loop of it
std::size_t left_below(int calls) { return calls == 0 ? base::stack_left() : std::min(base::stack_left(), deeper(calls - 1)); }

void* look(void* seen) {
  static_cast<Seen*>(seen)->outside = base::stack_left();
  static_cast<Seen*>(seen)->inside = left_below(1000);
  return nullptr;
}

}  // namespace

TEST_CASE("stack: what is left of it, in a thread of a known size") {
  constexpr std::size_t kSize = std::size_t{1} << 20;
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, kSize) == 0);
  Seen seen;
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attributes, look, &seen) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  CHECK(seen.outside <= kSize);
  CHECK(seen.outside > kSize / 2);
  CHECK(seen.inside <= seen.outside - 1000 * sizeof(void*));
}
