#include "vsl-filter/check/object_check.h"

#include <algorithm>
#include <array>
#include <string>

#include "vsl-filter/api/object.h"
#include "vsl-filter/lang/certain.h"
#include "vsl-filter/lang/regex.h"

namespace rules {

namespace ast = vsl::ast;

namespace {

using Fault = std::string;  // "": none

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Fault object_fault(std::string_view type, std::string_view text) {
  const auto made = make_object(type, text);
  return made ? Fault() : made.error();
}

Fault regex_fault(std::string_view, std::string_view pattern) {
  const auto compiled = vsl::Regex::compile(pattern);
  return compiled ? Fault() : quoted(pattern) + " is not a valid regex: " + compiled.error();
}

struct TypeRow {
  std::string_view name;
  std::string_view alias;  // v0
  Fault (*fault)(std::string_view type, std::string_view text);
};
constexpr auto kTypes = std::to_array<TypeRow>({
    {"ip4", "", object_fault},
    {"ip6", "", object_fault},
    {"rg4", "", object_fault},
    {"rg6", "", object_fault},
    {"address", "addr", object_fault},
    {"fqdn", "", object_fault},
    {"identifier", "ident", object_fault},
    {"code", "", object_fault},
    {"regex", "", regex_fault},
});

bool is_group(std::string_view type) { return type == "group" || type == "grp"; }

const ast::MapEntry* find(const ast::Map& map, std::string_view key) {
  const auto entry = std::ranges::find(map.entries, key, &ast::MapEntry::key);
  return entry == map.entries.end() ? nullptr : &*entry;
}

class Value {
 public:
  Value(const ast::Declaration& declaration, const ast::Script& script, vsl::Diagnostics& diagnostics)
      : name_(declaration.variable->name), type_(declaration.type), source_(*script.source), diagnostics_(diagnostics) {}

  void see(const ast::Node& node) const {
    const bool is_inner = node.kind == ast::Kind::Map && type_ != "code";  // #{ value: VALUE, note: "free fields" }
    if (!is_inner) return see_value(node);
    if (const auto* entry = find(ast::as<ast::Map>(node), "value")) return see_value(*entry->value);
    diagnostics_.error(node.span, "'value' key not found in object.");
  }

 private:
  void see_value(const ast::Node& node) const {
    if (is_group(type_)) return see_group(node);
    if (node.kind == ast::Kind::Map && type_ == "code") return see_code(ast::as<ast::Map>(node));
    const auto row = std::ranges::find_if(kTypes, [this](const TypeRow& each) { return each.name == type_ || (!each.alias.empty() && each.alias == type_); });
    if (row == kTypes.end() || node.kind != ast::Kind::String) return;
    if (auto fault = row->fault(row->name, ast::as<ast::String>(node).value); !fault.empty()) diagnostics_.error(node.span, std::move(fault));
  }

  void see_group(const ast::Node& node) const {
    if (node.kind != ast::Kind::Array) return;
    constexpr auto kNoElements = std::to_array<std::string_view>({"()", "bool", "i64", "f64", "char", "map", "Fn", "range", "range="});
    for (const ast::Node* element : ast::as<ast::Array>(node).elements)
      if (std::ranges::find(kNoElements, ast::certain_type(*element)) != kNoElements.end())
        diagnostics_.error(element->span, "the element " + quoted(source_.text(element->span)) + " inside the " + quoted(name_) + " group is not an object");
  }

  void see_code(const ast::Map& map) const {
    const auto* code = find(map, "code");
    if (code == nullptr) code = find(map, "base");  // the manual of v1.0
    const auto* enhanced = find(map, "enhanced");
    for (const auto& [entry, key] : {std::pair{code, "code"}, {find(map, "text"), "text"}})
      if (entry == nullptr) diagnostics_.error(map.span, "code object " + std::string(name_) + " is missing the '" + key + "' key.");
    if (code != nullptr && code->value->kind == ast::Kind::Int)
      if (const auto number = ast::as<ast::Int>(*code->value).value; number < 100 || number > 599)
        diagnostics_.error(code->value->span, quoted(std::to_string(number)) + " is not a valid code: a number from 100 to 599");
    if (enhanced == nullptr || enhanced->value->kind != ast::Kind::String) return;
    if (const auto text = ast::as<ast::String>(*enhanced->value).value; !text.empty() && !is_enhanced_status(text))
      diagnostics_.error(enhanced->value->span, quoted(text) + " is not a valid enhanced code: three numbers, as in 5.7.1");
  }

  std::string_view name_, type_;
  const vsl::Source& source_;
  vsl::Diagnostics& diagnostics_;
};

}  // namespace

void check_object(const ast::Declaration& declaration, const ast::Script& script, vsl::Diagnostics& diagnostics) {
  if (declaration.prefix.empty()) Value(declaration, script, diagnostics).see(*declaration.value);
}

}  // namespace rules
