// Any octets are parsed, resolved and checked without harm; positions lie within the text, children within their parents' text or, for
// what a recovery put together, within the file. What has no errors dumps to something.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "vsl-filter/lang/ast_walk.h"
#include "vsl-filter/lang/check.h"
#include "vsl-filter/lang/test_dialect.h"

namespace {

struct NoHost : vsl::HostNames {
  [[nodiscard]] bool has_namespace(std::string_view path) const override { return path == "state"; }
  [[nodiscard]] bool has_function(std::string_view, std::string_view name, std::size_t arguments) const override { return name == "next" && arguments == 0; }
  [[nodiscard]] bool has_value(std::string_view, std::string_view name) const override { return name == "net_10"; }
  void each(std::string_view, const std::function<void(std::string_view, std::size_t)>& see) const override {
    see("next", 0);
    see("net_10", kValue);
  }
  void each_namespace(const std::function<void(std::string_view)>& see) const override { see("state"); }
};

struct NoFiles : vsl::Loader {
  base::Result<vsl::LoadedText> load(std::string_view path, std::string_view) override {
    if (path == "main" || path == "m") return vsl::LoadedText{std::string(path), "export const x = 1; fn f() { 1 }"};
    return base::fail(base::Fault::Config, "no file");
  }
};

void walk(vsl::ast::Node* node, std::size_t octets) {
  if (node->span.begin > node->span.end || node->span.end > octets) std::abort();
  vsl::ast::for_each_child(*node, [&](vsl::ast::Node*& child) {
    if (child->height >= node->height) std::abort();
    walk(child, octets);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  NoFiles files;
  vsl::Modules modules;
  vsl::Diagnostics diagnostics;
  vsl::load_modules({"fuzz", std::move(text)}, files, vsl::test::kDialect, modules, diagnostics);
  const auto& script = modules.main().tree->script;
  walk(script.body.code, size);
  for (const auto* function : script.functions) walk(function->body.code, size);
  if (!diagnostics.has_errors() && size > 0 && vsl::ast::dump(script).find("<error>") != std::string::npos) std::abort();
  vsl::check(modules, NoHost(), diagnostics);
  diagnostics.sort();
  if (render(diagnostics, modules.sources).empty() != diagnostics.all().empty()) std::abort();
  for (const auto& each : diagnostics.all()) (void)render_json(each, modules.sources);
  return 0;
}
