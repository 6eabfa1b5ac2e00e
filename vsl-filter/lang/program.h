// A loaded set of scripts: immutable, shared by any number of runs in any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/bytecode.h"
#include "vsl-filter/lang/heap.h"
#include "vsl-filter/lang/native.h"
#include "vsl-filter/lang/source.h"
#include "vsl-filter/lang/value.h"

namespace vsl {

class Program {
 public:
  // `natives` must outlive the program.
  explicit Program(const Natives& natives) : natives_(natives) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // What the main script evaluated to.
  [[nodiscard]] const Value& value() const { return value_; }
  [[nodiscard]] const Sources& sources() const { return sources_; }
  [[nodiscard]] const Natives& natives() const { return natives_; }
  [[nodiscard]] const ModuleCode& main() const { return *modules_.back(); }
  [[nodiscard]] const std::vector<std::unique_ptr<ModuleCode>>& modules() const { return modules_; }

 private:
  friend class Loading;  // engine.cpp
  friend class Machine;
  friend class Compiler;
  friend class FunctionCompiler;

  const Natives& natives_;
  Sources sources_;
  Heap heap_;  // of the values below; dies after them
  std::vector<std::unique_ptr<ModuleCode>> modules_;  // in order of evaluation, the main one last
  std::vector<Value> slots_;                          // constants and exported variables of all top levels
  std::vector<std::string> slot_names_;
  Value value_;
};

// Whether some code of it, top levels counted in, calls a native function with this flag, or has the name of one among its texts, by
// which it may be called. Looks through all of it: to be asked once.
[[nodiscard]] bool mentions(const Program& program, std::uint16_t flag);

}  // namespace vsl
