// What a resident vsl-filter may still do when it begins to read mail: what its rules do, as far as that can be seen when they are loaded.
#pragma once

#include "lib/base/confinement.h"
#include "vsl-filter/options.h"
#include "vsl-filter/services/named_by_rules.h"
#include "vsl-filter/stages/rule_set.h"

namespace rules {

// Why rules cannot run inside: they start programs.
[[nodiscard]] base::Obstacle obstacle_of(const RuleSet& rules, const NamedByRules& named);

// Files that rules and services name while they are loaded, folders of settings for what functions write, ports of DNS.
[[nodiscard]] base::Sandbox sandbox_of(const RuleSet& rules, const NamedByRules& named, const Options& options);

}  // namespace rules
