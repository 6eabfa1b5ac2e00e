// For the tests of the language: evaluates a script and shows its value or its failure as one line.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "vsl-filter/lang/engine.h"
#include "vsl-filter/lang/test_dialect.h"

namespace vsl::test {

// Files in memory: "main.vsl" and what it imports. A path is a name.
class Files : public Loader {
 public:
  std::map<std::string, std::string, std::less<>> texts;

  base::Result<LoadedText> load(std::string_view path, std::string_view) override {
    const std::string name = path.ends_with(".vsl") ? std::string(path) : std::string(path) + ".vsl";
    const auto found = texts.find(name);
    if (found == texts.end()) return base::fail(base::Fault::Config, "no such file");
    return LoadedText{name, found->second};
  }
};

inline const Natives& standard_natives() {
  static const Natives* natives = [] {
    auto* all = new Natives;
    add_standard_functions(*all);
    return all;
  }();
  return *natives;
}

// "error: TEXT" of the first error.
inline std::string first_error(const Loaded& loaded) {
  for (const Diagnostic& each : loaded.diagnostics.all())
    if (each.severity == Severity::Error) return "error: " + each.message;
  return "no error";
}

// Without the checking pass: failures are those of running.
inline LoadOptions unchecked() {
  LoadOptions options;
  options.is_checked = false;
  return options;
}

// The value in its debug form.
inline std::string evaluated(std::string text, const LoadOptions& options = unchecked(), const Natives& natives = standard_natives()) {
  Files files;
  const Loaded loaded = load(LoadedText{"test.vsl", std::move(text)}, files, natives, kDialect, options);
  return loaded.program ? debug_of(loaded.program->value()) : first_error(loaded);
}

}  // namespace vsl::test
