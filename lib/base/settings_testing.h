// For tests: settings as vsmtp.ini has them.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "lib/base/io.h"
#include "lib/base/settings.h"

namespace base::testing {

// Of a file with this text.
inline Settings settings_of(std::string_view text) {
  const auto file = memory_file("ini");
  REQUIRE(file.has_value());
  REQUIRE(write_all(file->get(), text).has_value());
  Settings settings;
  REQUIRE(settings.read("/proc/self/fd/" + std::to_string(file->get())).has_value());
  return settings;
}

// `section` as it stands in brackets: queue, relay "example.org".
inline void set(Settings& settings, std::string_view section, std::string_view key, std::string_view value) {
  const auto* row = find_setting(std::string(section) + "." + std::string(key));
  REQUIRE(row != nullptr);
  REQUIRE(settings.set(*row, value, section));
}
inline void set_of_relay(Settings& settings, std::string_view domain, std::string_view key, std::string_view value) {
  set(settings, "relay \"" + std::string(domain) + "\"", key, value);
}

}  // namespace base::testing
