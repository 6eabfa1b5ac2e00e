// The lines of a question that grows.
#pragma once

#include <string>
#include <string_view>

#include "lib/chain/policy.h"

namespace smtpd {

// Who hands states back knows that what it is not told is empty: half of the question.
struct PolicyAttributes {
  std::string& out;
  bool skips_empty;
  void operator()(std::string_view name, std::string_view value) const {
    if (!skips_empty || !value.empty()) chain::append_policy(out, name, value);
  }
};

}  // namespace smtpd
