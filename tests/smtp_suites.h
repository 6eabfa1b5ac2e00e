// The SMTP suites of the public test data: JSON files with `cases`, octets in hex.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/testdata.h"

namespace testdata {

// The whole suite; one without cases when the test data is missing.
inline nlohmann::json smtp_suite(const std::string& name) {
  const auto path = find("smtp/" + name);
  if (path.empty()) return {{"cases", nlohmann::json::array()}};
  return nlohmann::json::parse(read(path));
}

inline std::string unhex(const std::string& hex) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return octets;
}

}  // namespace testdata
