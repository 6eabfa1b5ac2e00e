// Where unit tests find the public suites: $VSMTP_TESTDATA, or ../shared/testdata beside the checkout. Where they are
// missing, a test that asks for them is skipped with a message, but fails when CI=true is set.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace testdata {

// "" when there are none; then return from the test.
inline std::filesystem::path find(const std::string& name) {
  const char* given = std::getenv("VSMTP_TESTDATA");
  const auto path = std::filesystem::path(given != nullptr ? given : "../shared/testdata") / name;
  if (std::filesystem::exists(path)) return path;
  const char* ci = std::getenv("CI");
  if (ci != nullptr && std::string(ci) == "true") {
    FAIL("test data is missing: ", path.string());
  }
  MESSAGE("skipped, test data is missing: ", path.string());
  return {};
}

inline std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  std::ostringstream octets;
  octets << file.rdbuf();
  return octets.str();
}

}  // namespace testdata
