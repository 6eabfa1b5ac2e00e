// Text to syntax tree: the grammar of vSL, with what the host's dialect adds.
#pragma once

#include <cstdint>
#include <memory>

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/diagnostic.h"
#include "vsl-filter/lang/dialect.h"

namespace vsl {

struct ParseLimits {
  std::uint32_t nesting = 256;  // of expressions and blocks in each other
  std::uint16_t height = 1024;  // of the tree: long chains of operators and calls are deep although nothing is nested in them
  std::uint32_t source_octets = 64 * 1024 * 1024;
};

// Always gives a tree; what is wrong is in `diagnostics`. After an error the parser goes on with the next statement or directive.
// The tree points into `source` and `dialect`. Names are not resolved yet (resolve.h).
std::unique_ptr<ast::Tree> parse(const Source& source, const Dialect& dialect, Diagnostics& diagnostics, const ParseLimits& limits = {});

}  // namespace vsl
