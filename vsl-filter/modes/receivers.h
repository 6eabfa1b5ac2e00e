// vsl-filter --receivers: where the content filters of rules bring messages back, for who starts the listeners.
#pragma once

#include <string>
#include <vector>

#include "vsl-filter/options.h"
#include "vsl-filter/stages/rule_set.h"

namespace rules {

struct Receiver {
  std::string address;               // "127.0.0.1:10025"
  std::vector<std::string> clients;  // addresses and networks of those who may come there
  friend bool operator==(const Receiver&, const Receiver&) = default;
};

// Of the services that directives delegate to, not of others; each address once, sorted.
[[nodiscard]] std::vector<Receiver> receivers_of(const RuleSet& rules);

// A line for each: the address and its clients with blanks between them; an object with --json. Exit code 0, 78 with errors in the rules.
int print_receivers(const base::Settings& settings, const Options& options);

}  // namespace rules
