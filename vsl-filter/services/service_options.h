// The options of a service kind as rows, and the map of a script read by them: what is missing, unknown or of another type is an
// error that says what is expected.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/value.h"

namespace rules {

enum class OptionType : std::uint8_t { Text, Character, Count, Duration, Flag, Words, Map };

struct OptionRow {
  std::string_view name;
  std::string_view alias;     // of another version; may be empty
  OptionType type;
  bool is_required;
  std::string_view standard;  // the default, as text; "": none
  std::string_view doc;
};

class ServiceOptions {
 public:
  // `label` names the service in errors: "cmd service e", "database greylist".
  [[nodiscard]] static vsl::Expected<ServiceOptions> read(std::string_view label, std::span<const OptionRow> rows, const vsl::Map& map);

  // Of rows of that type; one that is not given and has no default is "", 0, false or empty.
  [[nodiscard]] const std::string& text(std::string_view name) const { return at(name).text; }
  [[nodiscard]] std::int64_t count(std::string_view name) const { return at(name).number; }
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view name) const { return std::chrono::milliseconds(at(name).number); }
  [[nodiscard]] bool flag(std::string_view name) const { return at(name).number != 0; }
  [[nodiscard]] const std::vector<std::string>& words(std::string_view name) const { return at(name).words; }
  [[nodiscard]] const vsl::Map* map(std::string_view name) const { return at(name).map; }  // as long as that of read() lives
  [[nodiscard]] bool is_given(std::string_view name) const { return at(name).is_given; }

 private:
  struct Given {
    std::string text;
    std::int64_t number = 0;
    std::vector<std::string> words;
    const vsl::Map* map = nullptr;
    bool is_given = false;
  };

  static bool take(OptionType type, const vsl::Value& value, Given& given);
  [[nodiscard]] const Given& at(std::string_view name) const;

  std::map<std::string_view, Given> given_;  // by the names of the rows
};

}  // namespace rules
