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

struct CompilerOptions {
  bool tells_assignments = false;
  bool is_optimized = true;  // constants computed, tables for switch, instructions that do the work of several
};

class Compiler {
 public:
  Compiler(Program& program, const Modules& modules, Diagnostics& diagnostics, CompilerOptions options)
      : program_(program), modules_(modules), diagnostics_(diagnostics), options_(options) {}

  // All modules, in order of evaluation, into the program.
  void compile();

 private:
  friend class FunctionCompiler;

  void compile(const Module& module);
  [[nodiscard]] std::uint32_t new_slot(std::string_view name);
  [[nodiscard]] std::string_view text_of(Span span) const;

  Program& program_;
  const Modules& modules_;
  Diagnostics& diagnostics_;
  CompilerOptions options_;
  ModuleCode* module_ = nullptr;  // the one at work
};

}  // namespace vsl
