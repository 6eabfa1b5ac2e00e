#include "queue-run/destination_limits.h"

#include "lib/base/settings_testing.h"

using base::testing::set_of_relay;

TEST_CASE("destination limits: by the most specific section that has some, or by its host") {
  base::Settings settings;
  set_of_relay(settings, "slow.example", "connections", "1");
  set_of_relay(settings, "slow.example", "messages_per_minute", "30");
  set_of_relay(settings, ".example", "messages_per_minute", "7000");
  set_of_relay(settings, "quiet.example", "error", "5.1.2 moved");
  set_of_relay(settings, "lists.example", "host", "[192.0.2.1]:25");
  set_of_relay(settings, "lists.example", "connections", "3");
  const auto limits = run::destination_limits(settings);
  REQUIRE(limits);
  REQUIRE(*limits);
  CHECK((*limits)("slow.example").calls == 1);
  CHECK((*limits)("slow.example").interval == 2000);
  CHECK((*limits)("sub.example").interval == 9);  // never more than was said
  CHECK((*limits)("quiet.example").interval == 9);
  CHECK((*limits)("[192.0.2.1]:25").calls == 3);
  CHECK((*limits)("lists.example").calls == 0);
  CHECK((*limits)("other.test").calls == 0);
}

TEST_CASE("destination limits: none, and too many a minute") {
  base::Settings settings;
  set_of_relay(settings, "a.example", "host", "b.example");
  CHECK_FALSE(*run::destination_limits(settings));
  set_of_relay(settings, "a.example", "messages_per_minute", "60000");
  CHECK((*run::destination_limits(settings))("b.example").interval == 1);
  set_of_relay(settings, "a.example", "messages_per_minute", "60001");
  CHECK_FALSE(run::destination_limits(settings));
}
