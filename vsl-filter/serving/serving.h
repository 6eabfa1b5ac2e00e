// The lives of vsl-filter between other programs: a link of a chain, a policy service, both behind a socket.
#pragma once

#include "lib/base/command_line.h"
#include "vsl-filter/options.h"

namespace rules {

int serve_one_message(const base::CommandLine& line, const Options& options);
int serve_questions(const base::Settings& settings, const Options& options);
// Until SIGTERM. SIGHUP compiles the rules anew; those that were running stay when the new ones have errors.
int serve_resident(const base::Settings& settings, const Options& options);

}  // namespace rules
