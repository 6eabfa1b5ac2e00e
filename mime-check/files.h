// mime-check by hand: files or standard input, reports on standard output.
#pragma once

#include <string>
#include <vector>

#include "mime-check/options.h"

namespace mime_check {

// "-" is standard input. Returns the exit code: 0, 1 when something of Options::fail_from or worse was found, sysexits(3) when a file
// could not be read (the others are read all the same).
int check_files(const std::vector<std::string>& names, const Options& options);

}  // namespace mime_check
