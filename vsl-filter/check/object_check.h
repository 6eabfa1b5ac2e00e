// Values of objects that are written out in a script and wrong (vsl.md 2.5): all of them, each where it stands, where loading would
// stop at the first.
#pragma once

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/diagnostic.h"

namespace rules {

// The value alone: declarations in it, as in a group, are to be seen by themselves.
void check_object(const vsl::ast::Declaration& declaration, const vsl::ast::Script& script, vsl::Diagnostics& diagnostics);

}  // namespace rules
