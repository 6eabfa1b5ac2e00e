// All files of a script: the main one and what it imports, each loaded, parsed and resolved once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/diagnostic.h"
#include "vsl-filter/lang/parser.h"

namespace vsl {

struct LoadedText {
  std::string name;  // the same for each way to write a path to the same text; shown in diagnostics
  std::string text;
};

// Where imported texts come from. It alone decides which paths are allowed.
class Loader {
 public:
  virtual ~Loader() = default;
  // `path` as written in the script, `importer` the LoadedText::name of the importing file; empty for the main file.
  virtual base::Result<LoadedText> load(std::string_view path, std::string_view importer) = 0;
};

struct Module {
  const Source* source = nullptr;
  std::unique_ptr<ast::Tree> tree;
  bool is_resolved = false;  // it has no syntax errors, so its names have been resolved
};

struct Modules {
  Sources sources;
  // In the order in which their top levels are to be evaluated: a module stands behind all that it imports, the main script is last.
  // ast::Import::module is an index here.
  std::vector<Module> all;

  [[nodiscard]] const Module& main() const { return all.back(); }
};

// Loads the main file and, recursively, its imports. A cycle is an error. What is wrong is in `diagnostics`; `modules` then holds what
// could be loaded. Fails only if the main file itself cannot be loaded.
base::Result<void> load_modules(std::string_view main_path, Loader& loader, const Dialect& dialect, Modules& modules, Diagnostics& diagnostics,
                                const ParseLimits& limits = {});

// The same for a main script that is no file; its imports still come from the loader.
void load_modules(LoadedText main, Loader& loader, const Dialect& dialect, Modules& modules, Diagnostics& diagnostics,
                  const ParseLimits& limits = {});

}  // namespace vsl
