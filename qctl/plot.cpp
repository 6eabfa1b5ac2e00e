#include "qctl/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "qctl/display.h"

namespace qctl {
namespace {

// In units of the view box; a phone shows it at about its own size.
constexpr double kWidth = 460, kHeight = 230;
constexpr double kLeft = 58, kRight = 8, kTop = 10, kBottom = 26;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;
constexpr std::size_t kShownLabels = 5;

std::string number(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.2f", value);
  std::string out = text.data();
  while (out.ends_with('0')) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::string human_number(double value) {
  if (value >= 10'000'000) return number(std::round(value / 1e6)) + "M";
  if (value >= 10'000) return number(std::round(value / 1e3)) + "k";
  return number(value);
}

std::string human_seconds(double seconds) {
  if (seconds < 1) return number(seconds * 1000) + " ms";
  if (seconds < 60) return number(seconds) + " s";
  if (seconds < 3600) return number(seconds / 60) + " min";
  return seconds < 86'400 ? number(seconds / 3600) + " h" : number(seconds / 86'400) + " d";
}

std::string attribute(std::string_view name, std::string_view value) { return " " + std::string(name) + "=\"" + escaped(value) + "\""; }
std::string attribute(std::string_view name, double value) { return attribute(name, number(value)); }

std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
  return "<text" + attribute("x", x) + attribute("y", y) + attribute("text-anchor", anchor) + ">" + escaped(text) + "</text>";
}
std::string line(double x1, double y1, double x2, double y2) {
  return "<line class=\"grid\"" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) + attribute("y2", y2) + "/>";
}

std::string open_svg(const Plot& plot, double height) {
  return "<svg viewBox=\"0 0 " + number(kWidth) + " " + number(height) + "\" role=\"img\" aria-labelledby=\"" + plot.id + "-title " + plot.id + "-desc\"><title id=\"" + plot.id + "-title\">" +
         escaped(plot.title) + "</title><desc id=\"" + plot.id + "-desc\">" + escaped(plot.description) + "</desc>";
}

std::string legend(const Plot& plot) {
  if (plot.series.size() < 2) return {};
  std::string out = "<p class=\"legend\">";
  for (const auto& series : plot.series) out += "<span class=\"key " + series.style + "\"></span>" + escaped(series.name) + " ";
  return out + "</p>";
}

// Where the values of column `i` of `count` stand.
double x_of(std::size_t i, std::size_t count) { return kLeft + (static_cast<double>(i) + 0.5) * kPlotWidth / static_cast<double>(std::max<std::size_t>(count, 1)); }

std::string horizontal_axis(const Plot& plot) {
  std::string out = line(kLeft, kTop + kPlotHeight, kWidth - kRight, kTop + kPlotHeight);
  const std::size_t count = plot.labels.size();
  const std::size_t shown = std::min(count, count <= 12 && std::ranges::all_of(plot.labels, [](const auto& label) { return label.size() <= 5; }) ? count : kShownLabels);
  for (std::size_t n = 0; n < shown; ++n) {
    const std::size_t i = shown == 1 ? 0 : n * (count - 1) / (shown - 1);
    const bool is_edge = shown == kShownLabels && count > shown;
    out += text_at(x_of(i, count), kHeight - 8, is_edge && n == 0 ? "start" : is_edge && n + 1 == shown ? "end" : "middle", plot.labels[i]);
  }
  return out;
}

std::string vertical_axis(double top) {
  std::string out;
  constexpr int kLines = 4;
  for (int i = 1; i <= kLines; ++i) {
    const double y = kTop + kPlotHeight * (1 - static_cast<double>(i) / kLines);
    out += line(kLeft, y, kWidth - kRight, y) + text_at(kLeft - 5, y + 4, "end", human_number(top * i / kLines));
  }
  return out + text_at(kLeft - 5, kTop + kPlotHeight + 4, "end", "0");
}

// Through all values that `y_of` has a place for.
std::string path(const Series& series, const std::function<double(double)>& y_of, bool skips_zero) {
  std::string steps;
  bool is_down = false;
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    if (skips_zero && series.values[i] <= 0) {
      is_down = false;
      continue;
    }
    const double x = x_of(i, series.values.size()), y = y_of(series.values[i]);
    steps += (is_down ? "L" : "M") + number(x) + " " + number(y);
    // One alone would be no line.
    const bool ends = i + 1 == series.values.size() || (skips_zero && series.values[i + 1] <= 0);
    if (!is_down && ends) steps += "h0.01";
    is_down = true;
  }
  return "<path class=\"line " + series.style + "\"" + attribute("d", steps) + "/>";
}

double largest(const Plot& plot) {
  double value = 0;
  for (const auto& series : plot.series)
    for (const double each : series.values) value = std::max(value, each);
  return value;
}

std::vector<double> sums(const Plot& plot) {
  std::vector<double> sums(plot.labels.size());
  for (const auto& series : plot.series)
    for (std::size_t i = 0; i < std::min(sums.size(), series.values.size()); ++i) sums[i] += series.values[i];
  return sums;
}

std::string rectangle(std::string_view style, double x, double y, double width, double height, const std::string& hint) {
  return "<rect class=\"" + std::string(style) + "\"" + attribute("x", x) + attribute("y", y) + attribute("width", width) + attribute("height", height) + "><title>" + escaped(hint) + "</title></rect>";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable_text(text, true)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

double round_up(double value) {
  if (value <= 1) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 4.0, 6.0, 8.0})  // quarters of them are round too
    if (value <= factor * power) return factor * power;
  return 10 * power;
}

std::string line_plot(const Plot& plot) {
  const double top = round_up(largest(plot));
  std::string out = legend(plot) + open_svg(plot, kHeight) + vertical_axis(top) + horizontal_axis(plot);
  for (const auto& series : plot.series) out += path(series, [&](double value) { return kTop + kPlotHeight * (1 - value / top); }, false);
  return out + "</svg>";
}

std::string duration_plot(const Plot& plot) {
  // Ticks as people count time; the axis ends at the first one that no value is over.
  constexpr auto kTicks = std::to_array({0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 21'600.0, 86'400.0, 432'000.0, 2'592'000.0, 31'536'000.0});
  constexpr double kLeast = kTicks.front();
  const auto* end = std::ranges::lower_bound(kTicks.begin() + 2, kTicks.end() - 1, largest(plot));
  const double height = std::log10(*end / kLeast);
  const auto y_of = [&](double seconds) { return kTop + kPlotHeight * (1 - std::log10(std::clamp(seconds, kLeast, *end) / kLeast) / height); };
  std::string out = legend(plot) + open_svg(plot, kHeight) + horizontal_axis(plot);
  for (const auto* tick = kTicks.begin(); tick <= end; ++tick) {
    const double seconds = *tick;
    out += line(kLeft, y_of(seconds), kWidth - kRight, y_of(seconds)) + text_at(kLeft - 5, y_of(seconds) + 4, "end", human_seconds(seconds));
  }
  for (const auto& series : plot.series) out += path(series, y_of, true);
  return out + "</svg>";
}

std::string column_plot(const Plot& plot) {
  const auto all = sums(plot);
  const double top = round_up(all.empty() ? 0 : *std::ranges::max_element(all));
  const double width = kPlotWidth / static_cast<double>(std::max<std::size_t>(all.size(), 1));
  std::string out = legend(plot) + open_svg(plot, kHeight) + vertical_axis(top) + horizontal_axis(plot);
  for (std::size_t i = 0; i < all.size(); ++i) {
    double y = kTop + kPlotHeight;
    for (const auto& series : plot.series) {
      const double height = i < series.values.size() ? kPlotHeight * series.values[i] / top : 0;
      if (height <= 0) continue;
      y -= height;
      out += rectangle(series.style, x_of(i, all.size()) - width * 0.45, y, width * 0.9, height, plot.labels[i] + ": " + number(series.values[i]) + " " + series.name);
    }
  }
  return out + "</svg>";
}

std::string bar_plot(const Plot& plot) {
  constexpr double kRow = 34, kBar = 12;
  const auto all = sums(plot);
  const double most = std::max(1.0, all.empty() ? 0 : *std::ranges::max_element(all));
  constexpr double kNumberWidth = 56;
  constexpr std::size_t kLabelColumns = 62;
  std::string out = legend(plot) + open_svg(plot, std::max(kRow, kRow * static_cast<double>(all.size())));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double y = kRow * static_cast<double>(i);
    out += text_at(0, y + 13, "start", fitted(printable_text(plot.labels[i], true), kLabelColumns, true));
    double x = 0;
    for (const auto& series : plot.series) {
      const double width = (kWidth - kNumberWidth) * series.values[i] / most;
      if (width <= 0) continue;
      out += rectangle(series.style, x, y + 18, width, kBar, plot.labels[i] + ": " + number(series.values[i]) + " " + series.name);
      x += width;
    }
    out += text_at(x + 5, y + 28, "start", human_number(all[i]));
  }
  return out + "</svg>";
}

std::string table_of(const Plot& plot, std::string_view label_title) {
  std::string out = "<details><summary>Numbers</summary><div class=\"numbers\"><table><thead><tr><th scope=\"col\">" + escaped(label_title) + "</th>";
  for (const auto& series : plot.series) out += "<th scope=\"col\">" + escaped(series.name) + "</th>";
  out += "</tr></thead><tbody>";
  for (std::size_t i = 0; i < plot.labels.size(); ++i) {
    out += "<tr><th scope=\"row\">" + escaped(plot.labels[i]) + "</th>";
    for (const auto& series : plot.series) out += "<td>" + (i < series.values.size() ? number(series.values[i]) : std::string()) + "</td>";
    out += "</tr>";
  }
  return out + "</tbody></table></div></details>";
}

}  // namespace qctl
