// Tables of scripts and what they evaluate to, for the tests of the standard functions.
#pragma once

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <string_view>

#include "vsl-filter/lang/test_script.h"

namespace vsl::test {

struct Evaluation {
  std::string_view script;
  std::string_view expected;  // the value in debug form, or "error: TEXT"
};

inline void check_all(std::span<const Evaluation> table) {
  for (const auto& [script, expected] : table) {
    CAPTURE(script);
    CHECK(evaluated(std::string(script)) == expected);
  }
}

}  // namespace vsl::test
