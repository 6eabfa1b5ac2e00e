#include "vsl-filter/lang/engine.h"

#include <algorithm>

#include "vsl-filter/lang/compiler.h"
#include "vsl-filter/lang/machine.h"

namespace vsl {

// The steps after parsing, on one program.
class Loading {
 public:
  Loading(const Natives& natives, const LoadOptions& options) : options_(options), program_(std::make_unique<Program>(natives)) {}

  Loaded finish(Modules modules, Diagnostics diagnostics) {
    Loaded loaded{nullptr, std::move(diagnostics), std::nullopt, {}};
    if (options_.is_checked) check(modules, NativeNames(program_->natives(), options_.hints), loaded.diagnostics, options_.hooks);
    if (!loaded.diagnostics.has_errors()) Compiler(*program_, modules, loaded.diagnostics, {options_.tells_assignments, options_.is_optimized}).compile();
    program_->sources_ = std::move(modules.sources);
    if (!loaded.diagnostics.has_errors()) evaluate(loaded);
    loaded.diagnostics.sort();
    if (loaded.diagnostics.has_errors())
      loaded.sources_when_failed = std::move(program_->sources_);
    else
      loaded.program = std::move(program_);
    return loaded;
  }

 private:
  // All top levels in their order; the last one's value is the program's.
  void evaluate(Loaded& loaded) {
    {
      Run run(*program_, program_->heap_, program_->slots_, options_.budget, options_.host, options_.sinks);
      for (const auto& module : program_->modules_) {
        Value self = Value::absent();
        Result result = run.finished(run.machine_->call(*module->top_level, self, {}));
        if (!result) {
          report(loaded, std::move(result.error()));
          break;
        }
        program_->value_ = std::move(*result);
      }
    }
    Heap::freeze(program_->slots_);
    Heap::freeze({&program_->value_, 1});
  }

  static void report(Loaded& loaded, Failure failure) {
    Diagnostic& diagnostic = loaded.diagnostics.error(failure.span(), failure.message());
    constexpr std::size_t kMostNotes = 8;
    for (std::size_t i = 1; i < std::min(failure.stack().size(), kMostNotes + 1); ++i)
      diagnostic.with_note(failure.stack()[i].span, "called from here");
    for (const auto& message : failure.further()) loaded.diagnostics.error(failure.span(), message);
    // The value would not outlive the program.
    loaded.failure = Failure(failure.kind(), failure.message());
    for (const CallSite& call : failure.stack()) loaded.failure->add_call(call.function, call.span);
  }

  const LoadOptions& options_;
  std::unique_ptr<Program> program_;
};

base::Result<Loaded> load(std::string_view main_path, Loader& loader, const Natives& natives, const Dialect& dialect, const LoadOptions& options) {
  Modules modules;
  Diagnostics diagnostics;
  if (auto read = load_modules(main_path, loader, dialect, modules, diagnostics, options.limits); !read) return std::unexpected(read.error());
  return Loading(natives, options).finish(std::move(modules), std::move(diagnostics));
}

Loaded load(LoadedText main, Loader& loader, const Natives& natives, const Dialect& dialect, const LoadOptions& options) {
  Modules modules;
  Diagnostics diagnostics;
  load_modules(std::move(main), loader, dialect, modules, diagnostics, options.limits);
  return Loading(natives, options).finish(std::move(modules), std::move(diagnostics));
}

// --- names

namespace {

// What looks like a function and is part of the language.
struct BuiltIn {
  std::string_view name;
  std::size_t least, most;
};
constexpr BuiltIn kBuiltIn[] = {{"Fn", 1, 1}, {"call", 1, 64}, {"is_shared", 1, 1}, {"is_def_fn", 2, 2}, {"is_def_var", 1, 1}};

}  // namespace

NativeNames::NativeNames(const Natives& natives, std::span<const NameHint> hints) : natives_(natives), hints_(hints) {}

std::string_view NativeNames::hint(std::string_view name) const {
  const auto found = std::ranges::find(hints_, name, &NameHint::name);
  return found == hints_.end() ? std::string_view() : found->help;
}

bool NativeNames::has_namespace(std::string_view path) const { return natives_.has_space(path); }

bool NativeNames::has_function(std::string_view path, std::string_view name, std::size_t arguments) const {
  if (path.empty())
    for (const BuiltIn& one : kBuiltIn)
      if (one.name == name && arguments >= one.least && arguments <= one.most) return true;
  return natives_.find(path, name, arguments) != nullptr;
}

bool NativeNames::has_value(std::string_view path, std::string_view name) const {
  if (natives_.constant(path, name) != nullptr) return true;
  const Overloads* overloads = natives_.find(path, name, 0);
  return overloads != nullptr && (overloads->rows.front()->flags & kConstant) != 0;
}

bool NativeNames::is_result_needed(std::string_view path, std::string_view name) const {
  for (std::size_t count = 0; count <= Parameters::kMost; ++count) {
    const Overloads* overloads = natives_.find(path, name, count);
    if (overloads != nullptr && (overloads->rows.front()->flags & kMustUse) != 0) return true;
  }
  return false;
}

void NativeNames::each(std::string_view path, const std::function<void(std::string_view, std::size_t)>& see) const {
  if (path.empty())
    for (const BuiltIn& one : kBuiltIn) see(one.name, one.least);
  natives_.each_name(path, see);
  natives_.each_constant([&](const NativeConstant& constant) {
    if (constant.space == path) see(constant.name, kValue);
  });
}

void NativeNames::each_namespace(const std::function<void(std::string_view)>& see) const {
  std::vector<std::string_view> spaces;
  for (const NativeRow* row : natives_.rows()) spaces.push_back(row->space);
  natives_.each_constant([&](const NativeConstant& constant) { spaces.emplace_back(constant.space); });
  std::ranges::sort(spaces);
  const auto rest = std::ranges::unique(spaces);
  spaces.erase(rest.begin(), rest.end());
  for (const std::string_view space : spaces)
    if (!space.empty()) see(space);
}

}  // namespace vsl
