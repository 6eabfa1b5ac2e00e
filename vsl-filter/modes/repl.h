// --repl: expressions, one a line, and their values; with rules, their functions and imports; with a message, its context.
#pragma once

#include "lib/base/settings.h"
#include "vsl-filter/options.h"

namespace rules {

int read_and_print(const base::Settings& settings, const Options& options);

}  // namespace rules
