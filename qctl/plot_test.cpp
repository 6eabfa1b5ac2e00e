#include "qctl/plot.h"

#include <doctest/doctest.h>

namespace {
qctl::Plot plot(std::vector<std::string> labels, std::vector<qctl::Series> series) {
  return {.id = "p", .title = "A & B", .description = "of \"x\"", .unit = {}, .labels = std::move(labels), .series = std::move(series)};
}
}  // namespace

TEST_CASE("qctl report: text of strangers is text") {
  CHECK(qctl::escaped("<script>&\"'\n\x1b") == "&lt;script&gt;&amp;&quot;'\\x0a\\x1b");
  const auto drawn = qctl::bar_plot(plot({"<b onclick=\"x\">"}, {{"sent", "a", {1}}}));
  CHECK_FALSE(drawn.contains("<b"));
  CHECK(drawn.contains("&lt;b onclick=&quot;x&quot;&gt;"));
  CHECK(drawn.contains("<title id=\"p-title\">A &amp; B</title><desc id=\"p-desc\">of &quot;x&quot;</desc>"));
}

TEST_CASE("qctl report: axes end at round numbers") {
  struct {
    double value, end;
  } const kCases[] = {{0, 1}, {0.3, 1}, {1, 1}, {1.1, 2}, {3, 4}, {4.5, 6}, {7, 8}, {9, 10}, {11, 20}, {999, 1000}, {1001, 2000}};
  for (const auto& [value, end] : kCases) CHECK(qctl::round_up(value) == end);
}

TEST_CASE("qctl report: plots of nothing, of one value and of gaps are plots") {
  for (const auto draw : {qctl::line_plot, qctl::duration_plot, qctl::column_plot, qctl::bar_plot})
    for (const auto& each : {plot({}, {}), plot({}, {{"s", "a", {}}}), plot({"x"}, {{"s", "a", {0}}}), plot({"x"}, {{"s", "a", {5}}, {"t", "b", {0}}})}) {
      const auto drawn = draw(each);
      CHECK(drawn.ends_with("</svg>"));
      CHECK_FALSE(drawn.contains("nan"));
      CHECK_FALSE(drawn.contains("inf"));
    }
  // The value in the middle is none: two pieces of line.
  const auto gap = qctl::duration_plot(plot({"a", "b", "c"}, {{"s", "a", {1, 0, 10}}}));
  CHECK(gap.contains("h0.01M"));
  CHECK(gap.contains(">100 ms</text>"));
  CHECK_FALSE(gap.contains(">1 min</text>"));
  CHECK(qctl::duration_plot(plot({"a"}, {{"s", "a", {1e12}}})).contains(">365 d</text>"));
  CHECK(qctl::line_plot(plot({"a", "b"}, {{"s", "a", {0, 4}}})).contains("d=\"M156.5 204L353.5 10\""));
}
