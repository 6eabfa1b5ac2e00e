// How the bodies of directives end: which statements are their value, as far as the text tells.
#pragma once

#include "vsl-filter/lang/ast.h"

namespace rules {

// The first way out of a rule on which its value is certainly no status; null if there is none.
const vsl::ast::Node* without_status(const vsl::ast::Directive& directive);
// The first way out of an action on which it has a status that nobody sees; next() and quarantine(), which act by themselves, do not count.
const vsl::ast::Node* ignored_status(const vsl::ast::Directive& directive);
// The rule gives the same decision, whatever comes.
bool always_ends(const vsl::ast::Directive& directive);

}  // namespace rules
