// Loading rules for the program: complaints for people, the log of rules.
#pragma once

#include <memory>

#include "lib/base/settings.h"
#include "vsl-filter/options.h"
#include "vsl-filter/stages/rule_set.h"

namespace rules {

// Site with the log of rules among the lines of this program's own.
[[nodiscard]] Site site_of(const base::Settings& settings);

// Usable rules; else nullptr, and all that is wrong is on standard error. Warnings are shown too unless `is_quiet`.
[[nodiscard]] std::shared_ptr<const RuleSet> load_or_complain(const base::Settings& settings, const Options& options);

// --check: all diagnostics on standard output. Exit code 0, 1 with errors, 66 when a file cannot be read.
int check_rules(const base::Settings& settings, const Options& options);

}  // namespace rules
