// Mistakes that can be seen from one node alone, without names: part of resolve().
#pragma once

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/diagnostic.h"

namespace vsl {

void check_condition(const ast::Node& node, Diagnostics& diagnostics);
void check_unary(const ast::Unary& node, Diagnostics& diagnostics);
void check_binary(const ast::Binary& node, Diagnostics& diagnostics);
void check_map(const ast::Map& node, Diagnostics& diagnostics);
void check_switch(const ast::Switch& node, Diagnostics& diagnostics);
void check_block(const ast::Block& node, Diagnostics& diagnostics);
void check_directive(const ast::Directive& node, Diagnostics& diagnostics);

}  // namespace vsl
