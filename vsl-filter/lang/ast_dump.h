// A tree as text on one line, for tests and for people who debug the parser:
//   let x = 1 + f(2);   ->   (let x (+ 1 (call f 2)))
#pragma once

#include <string>

#include "vsl-filter/lang/ast.h"

namespace vsl::ast {

std::string dump(const Node& node);
// Functions first, then the statements of the top level, separated by blanks.
std::string dump(const Script& script);
std::string_view operator_text(BinaryOperator op);

}  // namespace vsl::ast
