// Arguments that are written out in a script and certainly wrong: of a type that no form of the function takes, or texts that are no
// reply, no address, no host, no pattern (vsl.md 5.4).
#pragma once

#include <cstdint>
#include <unordered_map>

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/diagnostic.h"
#include "vsl-filter/lang/native.h"

namespace rules {

class ArgumentCheck {
 public:
  explicit ArgumentCheck(const vsl::Natives& natives);

  // Of a call that means a function of the host. `is_tried`: a wrong text there may be wanted.
  void see(const vsl::ast::Call& call, bool is_tried, vsl::Diagnostics& diagnostics) const;
  // Patterns only: whose method it is shows when it runs.
  static void see(const vsl::ast::MethodCall& call, vsl::Diagnostics& diagnostics);

 private:
  const vsl::Natives& natives_;
  std::unordered_map<vsl::Native, std::uint32_t> texts_;  // by function: a bit for each row of the table of texts
};

}  // namespace rules
