// Types that are certain from the text alone.
#pragma once

#include <string_view>

#include "vsl-filter/lang/ast.h"

namespace vsl::ast {

// The type_of() name that every value of this expression has; empty where it depends.
std::string_view certain_type(const Node& node);

// Whether control never comes behind this statement.
bool leaves(const Node& node);

}  // namespace vsl::ast
