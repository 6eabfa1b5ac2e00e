#include "lib/base/open_metrics.h"

#include <doctest/doctest.h>

using base::OpenMetrics;

TEST_CASE("open metrics: families, samples, labels, the end") {
  OpenMetrics metrics;
  metrics.begin("calls", "counter", "Calls by end");
  metrics.add("_total", OpenMetrics::label("end", "a\"b"), 18446744073709551615ULL);
  metrics.gauge("age_seconds", "Of the oldest", 1.5, "seconds");
  CHECK(std::move(metrics).end() ==
        "# TYPE calls counter\n# HELP calls Calls by end\ncalls_total{end=\"a\\\"b\"} 18446744073709551615\n"
        "# TYPE age_seconds gauge\n# UNIT age_seconds seconds\n# HELP age_seconds Of the oldest\nage_seconds 1.5\n# EOF\n");
}
