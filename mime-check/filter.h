// mime-check in a chain: refuses a message, or marks it and lets it pass. DESIGN.md 2.1, vsmtp-chain(7).
#pragma once

#include <optional>
#include <string>

#include "lib/chain/message_call.h"
#include "lib/lint/check.h"

namespace mime_check {

using namespace lint;

struct FilterOptions {
  Rules rules;
  IdSet disabled;
  Findings::Limits limits;
  std::optional<Severity> refuse_from = Severity::Error;  // nothing: never
  std::string mark;                                       // name of the field to put in front; "" for none
};

// One call: safe to use from several threads at once.
chain::Answer filter(const chain::Invocation& invocation, const FilterOptions& options);

// "X-MIME-Check: errors=0 warnings=1 notes=0\r\n\tfirst=\"line 3: ...\"\r\n"
std::string mark_field(std::string_view name, const Findings& findings);

}  // namespace mime_check
