// --test: runs test files of rules.
#pragma once

#include "lib/base/settings.h"
#include "vsl-filter/options.h"

namespace rules {

// A line for each test, and what differed. Exit code 0: all pass; 1: some do not; else why it could not be done.
int run_tests(const base::Settings& settings, const Options& options);

}  // namespace rules
