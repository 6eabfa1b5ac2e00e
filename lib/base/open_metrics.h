// Text in the format of OpenMetrics 1.0, as Prometheus reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

class OpenMetrics {
 public:
  // The samples of a family follow its begin. `type`: "counter", "gauge", "histogram"; `unit` is the end of the family's name, or "".
  void begin(std::string_view family, std::string_view type, std::string_view help, std::string_view unit = {});
  // `suffix`: "_total" of a counter, "_bucket" ...; `labels`: name="value",... made with label().
  void add(std::string_view suffix, std::string_view labels, std::uint64_t value);
  void add_number(std::string_view suffix, std::string_view labels, double value);
  // A family of one sample without labels.
  void counter(std::string_view family, std::string_view help, std::uint64_t value);
  void gauge(std::string_view family, std::string_view help, double value, std::string_view unit = {});
  [[nodiscard]] std::string end() &&;

  [[nodiscard]] static std::string label(std::string_view name, std::string_view value);
  [[nodiscard]] static std::string number(double value);

 private:
  void add_text(std::string_view suffix, std::string_view labels, std::string_view value);

  std::string text_;
  std::string family_;
};

}  // namespace base
