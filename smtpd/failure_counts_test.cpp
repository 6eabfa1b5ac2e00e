#include "smtpd/failure_counts.h"

#include <doctest/doctest.h>

TEST_CASE("failed log-ins are counted by address, and forgotten") {
  smtpd::FailureCounts counts;
  CHECK(counts.of("a", 0) == 0);
  counts.add("a", 0, 1000);
  counts.add("a", 500, 1000);
  counts.add("b", 600, 1000);
  CHECK(counts.of("a", 999) == 2);
  CHECK(counts.of("a", 1000) == 1);
  CHECK(counts.of("a", 1500) == 0);
  CHECK(counts.of("b", 1599) == 1);
  CHECK(counts.of("b", 1600) == 0);
}

TEST_CASE("no number of addresses fills the memory") {
  smtpd::FailureCounts counts;
  counts.add("first", 0, 1'000'000);
  for (int i = 0; i < 100'000; ++i) counts.add(std::to_string(i), 1, 1'000'000);
  CHECK(counts.of("first", 2) == 0);
  CHECK(counts.of("99999", 2) == 1);
}
