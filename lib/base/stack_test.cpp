#include "lib/base/stack.h"

#include <doctest/doctest.h>
#include <pthread.h>

#include <cstddef>

namespace {

struct Seen {
  std::size_t outside = 0, inside = 0;
};

[[gnu::noinline]] std::size_t left_below_64_kib() {
  volatile char room[64 << 10];
  room[0] = 1;
  return base::stack_left() + static_cast<std::size_t>(room[0] - 1);
}

void* look(void* seen) {
  static_cast<Seen*>(seen)->outside = base::stack_left();
  static_cast<Seen*>(seen)->inside = left_below_64_kib();
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
  CHECK(seen.inside <= seen.outside - (std::size_t{64} << 10));
}
