// Saved messages: vsl-filter RULES MESSAGE..., and RULES <message >filtered.
#pragma once

#include "vsl-filter/options.h"
#include "vsl-filter/stages/rule_set.h"

namespace rules {

// Prints what the rules make of each. Exit code: 0 all are accepted, 1 some are not, else why it could not be done.
int report_on(const RuleSet& rules, const Options& options);

// Standard input to standard output. Exit code 0: passed, with what the rules have changed; 1: refused, nothing is written but the reply,
// on standard error; 75 for now.
int filter_standard_input(const RuleSet& rules, const Options& options);

}  // namespace rules
