// Binds the names of a tree to what they name in its own file: variables, functions, imports; finds what closures capture.
// Fills the fields marked "resolved" in ast.h. To be called once on each tree without errors, before check() and the compiler.
#pragma once

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/diagnostic.h"

namespace vsl {

// Errors found here need no knowledge of the host: assignment to a constant, break outside of a loop, two functions or parameters of
// one name, an export of nothing. A name without a variable is none: the host may know it (check.h).
// is_def_var("x") is replaced by its value.
void resolve(ast::Tree& tree, Diagnostics& diagnostics);

}  // namespace vsl
