// The language for a host: the one header to include.
//
//   vsl::Natives natives;                       // once a process
//   vsl::add_standard_functions(natives);
//   natives.add(my_rows);
//   auto loaded = vsl::load("main.vsl", loader, natives, my_dialect);
//   if (!loaded.program) report(render(loaded.diagnostics, ...));
//
//   vsl::Run run(*loaded.program, budget, &my_context);   // one a transaction, in any thread
//   vsl::Result result = run.call(directive_closure);
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "lib/base/result.h"
#include "vsl-filter/lang/check.h"
#include "vsl-filter/lang/diagnostic.h"
#include "vsl-filter/lang/dialect.h"
#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/module.h"
#include "vsl-filter/lang/native.h"
#include "vsl-filter/lang/program.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/lang/text.h"

namespace vsl {

struct LoadOptions {
  ParseLimits limits;
  Budget budget;             // of the evaluation of the top levels
  bool is_checked = true;    // run the checking pass; without, unknown names fail when they are reached
  bool tells_assignments = false;  // to Sinks::assigned; costs nothing where it is not asked for
  bool is_optimized = true;  // off: plain code that does the same, to compare with
  std::span<CheckHook* const> hooks;
  std::span<const NameHint> hints;  // for unknown names
  void* host = nullptr;      // what native functions get while the top levels are evaluated
  Sinks sinks;
};

struct Loaded {
  // Null if there are errors.
  std::unique_ptr<const Program> program;
  // Errors and warnings of all passes. A failure of a top level is one of the errors.
  Diagnostics diagnostics;
  // That failure itself, if there was one: kind and call stack.
  std::optional<Failure> failure;
  // For rendering the diagnostics; of a loaded program the same as program->sources().
  [[nodiscard]] const Sources& sources() const { return program ? program->sources() : sources_when_failed; }
  Sources sources_when_failed;
};

// Reads, parses, resolves, checks, compiles the main script and all that it imports, evaluates each top level once, freezes
// everything. Fails only if the main script cannot be read; all else is in `diagnostics`. `natives` and `dialect` must outlive the
// program.
base::Result<Loaded> load(std::string_view main_path, Loader& loader, const Natives& natives, const Dialect& dialect,
                          const LoadOptions& options = {});
// The same for a main script that is no file.
Loaded load(LoadedText main, Loader& loader, const Natives& natives, const Dialect& dialect, const LoadOptions& options = {});

// The names that natives offer, for check().
class NativeNames : public HostNames {
 public:
  explicit NativeNames(const Natives& natives, std::span<const NameHint> hints = {});
  [[nodiscard]] bool has_namespace(std::string_view path) const override;
  [[nodiscard]] bool has_function(std::string_view path, std::string_view name, std::size_t arguments) const override;
  [[nodiscard]] bool has_value(std::string_view path, std::string_view name) const override;
  [[nodiscard]] bool is_result_needed(std::string_view path, std::string_view name) const override;
  [[nodiscard]] std::string_view hint(std::string_view name) const override;
  void each(std::string_view path, const std::function<void(std::string_view name, std::size_t arguments)>& see) const override;
  void each_namespace(const std::function<void(std::string_view path)>& see) const override;

 private:
  const Natives& natives_;
  std::span<const NameHint> hints_;
};

}  // namespace vsl
