#include "queue-run/destination_limits.h"

#include <doctest/doctest.h>

namespace {

void set(base::Settings& settings, std::string_view domain, std::string_view key, std::string_view value) {
  const auto* row = base::find_setting(base::Settings::named("relay", domain, key));
  REQUIRE(row != nullptr);
  REQUIRE(settings.set(*row, value, "relay \"" + std::string(domain) + "\""));
}

}  // namespace

TEST_CASE("destination limits: by the most specific section that has some, or by its host") {
  base::Settings settings;
  set(settings, "slow.example", "connections", "1");
  set(settings, "slow.example", "messages_per_minute", "30");
  set(settings, ".example", "messages_per_minute", "7000");
  set(settings, "quiet.example", "error", "5.1.2 moved");
  set(settings, "lists.example", "host", "[192.0.2.1]:25");
  set(settings, "lists.example", "connections", "3");
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
  set(settings, "a.example", "host", "b.example");
  CHECK_FALSE(*run::destination_limits(settings));
  set(settings, "a.example", "messages_per_minute", "60000");
  CHECK((*run::destination_limits(settings))("b.example").interval == 1);
  set(settings, "a.example", "messages_per_minute", "60001");
  CHECK_FALSE(run::destination_limits(settings));
}
