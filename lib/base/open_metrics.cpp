#include "lib/base/open_metrics.h"

#include <array>
#include <cstdio>
#include <utility>

#include "lib/base/text.h"

namespace base {

void OpenMetrics::begin(std::string_view family, std::string_view type, std::string_view help, std::string_view unit) {
  family_ = family;
  const auto line = [&](std::string_view what, std::string_view value) {
    text_.append("# ").append(what).append(" ").append(family).append(" ").append(value).append("\n");
  };
  line("TYPE", type);
  if (!unit.empty()) line("UNIT", unit);
  line("HELP", help);
}

void OpenMetrics::add_text(std::string_view suffix, std::string_view labels, std::string_view value) {
  text_.append(family_).append(suffix);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_.append(" ").append(value).append("\n");
}

void OpenMetrics::add(std::string_view suffix, std::string_view labels, std::uint64_t value) { add_text(suffix, labels, std::to_string(value)); }
void OpenMetrics::add_number(std::string_view suffix, std::string_view labels, double value) { add_text(suffix, labels, number(value)); }

void OpenMetrics::counter(std::string_view family, std::string_view help, std::uint64_t value) {
  begin(family, "counter", help);
  add("_total", {}, value);
}

void OpenMetrics::gauge(std::string_view family, std::string_view help, double value, std::string_view unit) {
  begin(family, "gauge", help, unit);
  add_number({}, {}, value);
}

std::string OpenMetrics::end() && {
  text_ += "# EOF\n";
  return std::move(text_);
}

std::string OpenMetrics::label(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (const char c : text::printable(value)) {
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text + '"';
}

std::string OpenMetrics::number(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.10g", value);
  return text.data();
}

}  // namespace base
