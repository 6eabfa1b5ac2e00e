// Plots as SVG that stands in a page: themed by its style sheet, with a title and a description for who does not see them. No I/O.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qctl {

// Text of strangers for HTML, and for attributes in double quotes: one line, without controls.
[[nodiscard]] std::string escaped(std::string_view text);

struct Series {
  std::string name;
  std::string style;           // a class of the style sheet
  std::vector<double> values;  // as many as there are labels
};

struct Plot {
  std::string id;           // letters, once in a page
  std::string title;
  std::string description;  // what is to be seen
  std::string unit;         // of the values
  std::vector<std::string> labels;  // along the horizontal axis; some are shown
  std::vector<Series> series;
};

[[nodiscard]] std::string line_plot(const Plot& plot);
// Values are seconds, over a logarithmic axis; 0 is no value, and a gap.
[[nodiscard]] std::string duration_plot(const Plot& plot);
// The series stand on each other.
[[nodiscard]] std::string column_plot(const Plot& plot);
// A row for each label, below each other, with the label in front.
[[nodiscard]] std::string bar_plot(const Plot& plot);

// The numbers of a plot as a table, for who cannot see it or wants them.
[[nodiscard]] std::string table_of(const Plot& plot, std::string_view label_title);

// A round number at or over `value` for the end of an axis: 1, 2, 5, 10, 20...
[[nodiscard]] double round_up(double value);

}  // namespace qctl
