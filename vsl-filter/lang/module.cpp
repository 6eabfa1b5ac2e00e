#include "vsl-filter/lang/module.h"

#include <algorithm>
#include <unordered_map>

#include "vsl-filter/lang/resolve.h"

namespace vsl {
namespace {

constexpr std::int32_t kInProgress = -2;
constexpr std::size_t kMostModules = 1000;
// Files that import one another in a row; reading one is a function call of the next.
constexpr std::size_t kLongestRow = 100;

class Reader {
 public:
  Reader(Loader& loader, const Dialect& dialect, Modules& modules, Diagnostics& diagnostics, const ParseLimits& limits)
      : loader_(loader), dialect_(dialect), modules_(modules), diagnostics_(diagnostics), limits_(limits) {}

  // The index of the module.
  std::int32_t read(LoadedText loaded);

 private:
  void read_import(ast::Import& import, const std::string& importer);
  std::string row_from(std::string_view name) const;

  Loader& loader_;
  const Dialect& dialect_;
  Modules& modules_;
  Diagnostics& diagnostics_;
  const ParseLimits& limits_;
  std::unordered_map<std::string, std::int32_t> known_;
  std::vector<std::string> row_;  // what is being read, the main file first
};

std::int32_t Reader::read(LoadedText loaded) {
  const std::string name = loaded.name;
  known_[name] = kInProgress;
  row_.push_back(name);
  const std::size_t errors_before = diagnostics_.errors();
  Module made;
  made.source = &modules_.sources.add(std::move(loaded.name), std::move(loaded.text));
  made.tree = parse(*made.source, dialect_, diagnostics_, limits_);
  made.is_resolved = diagnostics_.errors() == errors_before;
  for (ast::Import* import : made.tree->script.imports) read_import(*import, name);
  if (made.is_resolved) resolve(*made.tree, diagnostics_);
  row_.pop_back();
  modules_.all.push_back(std::move(made));
  return known_[name] = static_cast<std::int32_t>(modules_.all.size()) - 1;
}

// "a.vsl -> b.vsl -> a.vsl"
std::string Reader::row_from(std::string_view name) const {
  std::string out;
  for (auto at = std::ranges::find(row_, name); at != row_.end(); ++at) out += *at + " -> ";
  return out += name;
}

void Reader::read_import(ast::Import& import, const std::string& importer) {
  if (import.path->kind != ast::Kind::String) return;
  const auto path = ast::as<ast::String>(*import.path).value;
  auto loaded = loader_.load(path, importer);
  if (!loaded) {
    diagnostics_.error(import.path->span, "Module not found: " + std::string(path)).with_help(loaded.error().cause);
    return;
  }
  if (const auto known = known_.find(loaded->name); known != known_.end()) {
    if (known->second == kInProgress) {
      diagnostics_.error(import.path->span, "files import each other in a circle: " + row_from(loaded->name))
          .with_help("put what both need into a third file");
      return;
    }
    import.module = known->second;
    return;
  }
  if (known_.size() >= kMostModules || row_.size() >= kLongestRow) {
    diagnostics_.error(import.path->span, row_.size() >= kLongestRow ? "more than " + std::to_string(kLongestRow) + " files import one another in a row"
                                                                     : "more than " + std::to_string(kMostModules) + " files");
    return;
  }
  import.module = read(std::move(*loaded));
}

}  // namespace

void load_modules(LoadedText main, Loader& loader, const Dialect& dialect, Modules& modules, Diagnostics& diagnostics, const ParseLimits& limits) {
  Reader(loader, dialect, modules, diagnostics, limits).read(std::move(main));
}

base::Result<void> load_modules(std::string_view main_path, Loader& loader, const Dialect& dialect, Modules& modules, Diagnostics& diagnostics,
                                const ParseLimits& limits) {
  auto main = loader.load(main_path, {});
  if (!main) return std::unexpected(main.error());
  load_modules(std::move(*main), loader, dialect, modules, diagnostics, limits);
  return {};
}

}  // namespace vsl
