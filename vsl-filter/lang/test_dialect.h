// For the tests of the language: the words that vsl-filter adds, and short ways to parse.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "vsl-filter/lang/ast_dump.h"
#include "vsl-filter/lang/parser.h"

namespace vsl::test {

inline constexpr auto kDirectives = std::to_array<DirectiveKeyword>({
    {"rule", "rule", ""},
    {"action", "action", ""},
    {"delegate", "delegation", "service"},
});
inline constexpr auto kObjectTypes = std::to_array<std::string_view>(
    {"ip4", "ip6", "rg4", "rg6", "address", "fqdn", "regex", "identifier", "string", "group", "code", "file"});
inline constexpr auto kObjectPrefixes = std::to_array<std::string_view>({"file"});
inline constexpr auto kServicePrefixes = std::to_array<std::string_view>({"db"});
inline constexpr auto kDeclarations = std::to_array<DeclarationKeyword>({
    {"object", "obj", "make_object", kObjectTypes, kObjectPrefixes, "object"},
    {"service", "", "make_service", {}, kServicePrefixes, "service"},
});
inline constexpr Dialect kDialect{kDirectives, kDeclarations};

struct Parsed {
  Sources sources;
  Diagnostics diagnostics;
  std::unique_ptr<ast::Tree> tree;

  explicit Parsed(std::string text, const ParseLimits& limits = {}) {
    const Source& source = sources.add("test.vsl", std::move(text));
    tree = parse(source, kDialect, diagnostics, limits);
  }
  [[nodiscard]] std::string dump() const { return ast::dump(tree->script); }
  // "1:5: message | 2:1: message", in order of place, warnings marked.
  [[nodiscard]] std::string errors() {
    diagnostics.sort();
    std::string out;
    for (const Diagnostic& each : diagnostics.all()) {
      const Location at = sources.locate(each.span);
      out += (out.empty() ? "" : " | ") + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
             (each.severity == Severity::Warning ? "warning: " : "") + each.message;
    }
    return out;
  }
};

// The tree of a script without errors, else "ERROR " and what is wrong.
inline std::string dumped(std::string text) {
  Parsed parsed(std::move(text));
  return parsed.diagnostics.has_errors() ? "ERROR " + parsed.errors() : parsed.dump();
}
inline std::string errors(std::string text) { return Parsed(std::move(text)).errors(); }

}  // namespace vsl::test
