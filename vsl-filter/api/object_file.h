// `object NAME file:TYPE = PATH`: a list with one object for each line of a file.
#pragma once

#include <string_view>

#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/run.h"

namespace rules {

// A relative path starts at the folder of the script. Lines are trimmed; empty ones and those that begin with '#' are left out.
// A bad line is an error that names file and line. The list is never made of more elements than the run's memory may hold.
vsl::Result read_object_file(vsl::Run& run, std::string_view path, std::string_view type);

// Where `path` is, as the script that runs says it.
std::string beside_script(const vsl::Run& run, std::string_view path);

}  // namespace rules
