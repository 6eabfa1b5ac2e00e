#include "queue-run/turns.h"

#include <doctest/doctest.h>

using run::turn_of;

TEST_CASE("turns: what is one sender's") {
  CHECK(turn_of("list@example.org") == turn_of("list@EXAMPLE.org"));
  CHECK(turn_of("list+user=example.net@example.org") == turn_of("list+other=example.com@example.org"));
  CHECK(turn_of("bounces=user=example.net@example.org") == turn_of("bounces@example.org"));
  CHECK(turn_of("") == turn_of(""));
  CHECK(turn_of("a@example.org") != turn_of("b@example.org"));
  CHECK(turn_of("a@example.org") != turn_of("a@example.net"));
  CHECK(turn_of("+a@example.org") != turn_of("+b@example.org"));
  CHECK(turn_of("a") != turn_of(""));
}
