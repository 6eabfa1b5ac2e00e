// What to write for names that other programs and languages have.
#pragma once

#include <span>

#include "vsl-filter/lang/check.h"

namespace rules {

std::span<const vsl::NameHint> name_hints();

}  // namespace rules
