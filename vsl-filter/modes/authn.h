// vsl-filter --authn: what SPF, DKIM, DMARC and ARC say of saved messages, without rules.
#pragma once

#include "lib/base/settings.h"
#include "vsl-filter/options.h"

namespace rules {

// Prints what was found out about each of the files. Exit code: 0, or 1 where DMARC failed for one, else why it could not be done.
int authenticate_files(const base::Settings& settings, const Options& options);
// Standard input to standard output, with Authentication-Results on top, and no other of that name below it. The same exit codes.
int authenticate_standard_input(const base::Settings& settings, const Options& options);

}  // namespace rules
