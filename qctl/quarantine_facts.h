// What the context says of a message that rules have set aside: the member "quarantine" of vsl.md 4.4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"

namespace qctl {

struct QuarantineFacts {
  std::string name;    // as the rule gave it; the folder is what counts
  std::string reason;  // "" for what is not told, as everywhere here
  std::string rule;
  std::string stage;   // in which the rule ran: "rcpt", "preq", "postq"
  std::optional<base::WallTime> time;
};

// nullopt: no rule has quarantined it. The member may be {"name","reason","rule","stage","time"}, each of them missing or of
// another type, or the name alone as a text.
[[nodiscard]] std::optional<QuarantineFacts> quarantine_facts(std::string_view context);

// {"name":...,"time":...}, times as RFC 3339.
[[nodiscard]] std::string as_json(const QuarantineFacts& facts);

}  // namespace qctl
