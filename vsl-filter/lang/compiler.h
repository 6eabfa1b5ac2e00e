// From the resolved tree of a script to bytecode.
//
// Names that cannot be found do not stop it: the code fails when it gets there, with the texts of the language. The checking pass
// (check.h) reports them before.
#pragma once

#include "vsl-filter/lang/bytecode.h"
#include "vsl-filter/lang/diagnostic.h"
#include "vsl-filter/lang/module.h"
#include "vsl-filter/lang/program.h"

namespace vsl {

class Compiler {
 public:
  Compiler(Program& program, const Modules& modules, Diagnostics& diagnostics)
      : program_(program), modules_(modules), diagnostics_(diagnostics) {}

  // All modules, in order of evaluation, into the program.
  void compile();

 private:
  friend class FunctionCompiler;

  void compile(const Module& module);
  [[nodiscard]] std::uint32_t new_slot(std::string_view name);

  Program& program_;
  const Modules& modules_;
  Diagnostics& diagnostics_;
  ModuleCode* module_ = nullptr;  // the one at work
};

}  // namespace vsl
