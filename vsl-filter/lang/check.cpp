#include "vsl-filter/lang/check.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "vsl-filter/lang/ast_walk.h"
#include "vsl-filter/lang/certain.h"
#include "vsl-filter/lang/nearest.h"

namespace vsl {
namespace {

using ast::Kind;
using ast::Node;

// Functions that the compiler knows itself; the last ones take any number of arguments from there on.
struct BuiltIn {
  std::string_view name;
  std::size_t least;
  std::size_t most;
};
constexpr std::size_t kAny = static_cast<std::size_t>(-2);
constexpr BuiltIn kBuiltIns[] = {
    {"Fn", 1, 1},      {"call", 1, kAny},    {"curry", 2, kAny},     {"type_of", 1, 1},    {"is_shared", 1, 1},
    {"print", 1, 1},   {"debug", 1, 1},      {"is_def_fn", 2, 2},    {"is_def_var", 1, 1},
};
const BuiltIn* built_in(std::string_view name) {
  const auto at = std::ranges::find(kBuiltIns, name, &BuiltIn::name);
  return at == std::end(kBuiltIns) ? nullptr : at;
}

// "1 argument", "0 to 2 arguments", "1 or 3 arguments"
std::string arities_text(const std::set<std::size_t>& arities) {
  std::string out;
  if (arities.size() > 2 && *arities.rbegin() - *arities.begin() + 1 == arities.size()) {
    out = std::to_string(*arities.begin()) + " to " + std::to_string(*arities.rbegin());
  } else {
    for (auto at = arities.begin(); at != arities.end(); ++at) {
      if (at != arities.begin()) out += std::next(at) == arities.end() ? " or " : ", ";
      out += std::to_string(*at);
    }
  }
  return out + (arities.size() == 1 && *arities.begin() == 1 ? " argument" : " arguments");
}

std::string joined_names(ast::List<ast::Segment> segments, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += "::";
    out += segments[i].name;
  }
  return out;
}

// All names that a script declares somewhere, and all that its maps may have as properties.
struct DeclaredNames {
  std::vector<const ast::Variable*> variables;
  std::unordered_set<std::string_view> properties;

  explicit DeclaredNames(const ast::Script& script) {
    for (const ast::Function* function : script.functions) body(function->body);
    body(script.body);
  }

 private:
  void body(const ast::Body& each) {
    for (const ast::Variable* parameter : each.parameters) variables.push_back(parameter);
    visit(each.code);
  }
  void visit(Node* node) {
    note(*node);
    ast::for_each_child(*node, [this](Node*& child) { visit(child); });
  }
  // Never part of visit(), whose frame is on the stack once for each level of the tree.
  [[gnu::noinline]] void note(Node& node) {
    switch (node.kind) {
      case Kind::Let: variables.push_back(ast::as<ast::Let>(node).variable); break;
      case Kind::Declaration: variables.push_back(ast::as<ast::Declaration>(node).variable); break;
      case Kind::For:
        variables.push_back(ast::as<ast::For>(node).variable);
        if (ast::as<ast::For>(node).counter != nullptr) variables.push_back(ast::as<ast::For>(node).counter);
        break;
      case Kind::Try:
        if (ast::as<ast::Try>(node).error != nullptr) variables.push_back(ast::as<ast::Try>(node).error);
        break;
      case Kind::Closure:
        for (const ast::Variable* parameter : ast::as<ast::Closure>(node).body.parameters) variables.push_back(parameter);
        break;
      case Kind::Map:
        for (const ast::MapEntry& entry : ast::as<ast::Map>(node).entries) properties.insert(entry.key);
        break;
      case Kind::Property: properties.insert(ast::as<ast::Property>(node).name); break;
      case Kind::String: properties.insert(ast::as<ast::String>(node).value); break;  // m["name"] = ...
      default: break;
    }
  }
};

class Checker {
 public:
  Checker(const Modules& modules, const HostNames& host, Diagnostics& diagnostics, std::span<CheckHook* const> hooks)
      : modules_(modules), host_(host), diagnostics_(diagnostics), hooks_(hooks) {}

  void check(const Module& module) {
    module_ = &module;
    script_ = &module.tree->script;
    declared_.reset();
    for (const ast::Function* function : script_->functions) body(function->body);
    body(script_->body);
  }

 private:
  void body(const ast::Body& each) {
    const bool outer = std::exchange(is_function_, &each != &script_->body && each.outer == nullptr);
    visit(each.code);
    is_function_ = outer;
  }
  void visit(Node* node);
  // Never part of visit(), whose frame is on the stack once for each level of the tree.
  [[gnu::noinline]] void look_at(const Node& node);

  void name(const ast::Name& node);
  void path(const ast::Path& node);
  void call(const ast::Call& node);
  void call_in_module(const ast::Call& node);
  void method_call(const ast::MethodCall& node);
  void block(const ast::Block& node);
  void for_loop(const ast::For& node);
  void let(const ast::Let& node);

  Diagnostic& wrong_arity(Span where, std::string_view name, std::size_t given, const std::set<std::size_t>& arities);
  void unknown_function(Span where, const std::string& space, std::string_view name, std::size_t arguments);
  bool unknown_namespace(const ast::Segment& first, const std::string& space);
  [[nodiscard]] const Module* module_of(const ast::Import& import) const;
  // Where a::b::c leads by imports: the module of the last but one name; null if some step is no import.
  const Module* follow(const ast::Import* import, ast::List<ast::Segment> segments) const;
  [[nodiscard]] std::set<std::size_t> arities(const std::string& space, std::string_view name) const;
  const DeclaredNames& declared() {
    if (!declared_) declared_.emplace(*script_);
    return *declared_;
  }

  const Modules& modules_;
  const HostNames& host_;
  Diagnostics& diagnostics_;
  std::span<CheckHook* const> hooks_;
  const Module* module_ = nullptr;
  const ast::Script* script_ = nullptr;
  std::optional<DeclaredNames> declared_;
  bool is_function_ = false;  // within a function, not only within closures of the top level
  int tries_ = 0;             // try blocks around the present place: errors in them may be wanted
};

void Checker::look_at(const Node& node) {
  switch (node.kind) {
    case Kind::Name: return name(ast::as<ast::Name>(node));
    case Kind::Path: return path(ast::as<ast::Path>(node));
    case Kind::Call: return call(ast::as<ast::Call>(node));
    case Kind::MethodCall: return method_call(ast::as<ast::MethodCall>(node));
    case Kind::Block: return block(ast::as<ast::Block>(node));
    case Kind::For: return for_loop(ast::as<ast::For>(node));
    case Kind::Let: return let(ast::as<ast::Let>(node));
    default: return;
  }
}

void Checker::visit(Node* node) {
  for (CheckHook* hook : hooks_) hook->enter(*node, *script_, diagnostics_);
  look_at(*node);
  if (node->kind == Kind::Try) {
    ++tries_;
    visit(ast::as<ast::Try>(*node).block);
    --tries_;
    visit(ast::as<ast::Try>(*node).handler);
  } else {
    ast::for_each_child(*node, [this](Node*& child) { visit(child); });
  }
  for (CheckHook* hook : hooks_) hook->leave(*node, *script_, diagnostics_);
}

// --- variables

void Checker::name(const ast::Name& node) {
  if (node.variable != nullptr || host_.has_value({}, node.name)) return;
  const std::string text(node.name);
  auto& error = diagnostics_.error(node.span, "Variable not found: " + text);
  const auto is_it = [&](const ast::Variable* variable) { return variable->is_top_level && variable->name == node.name; };
  const auto& variables = declared().variables;
  if (const auto outer = std::ranges::find_if(variables, is_it); is_function_ && outer != variables.end()) {
    error.with_note((*outer)->span, "this one is outside of the function");
    error.with_help((*outer)->is_constant ? "functions see constants of their file as `global::" + text + "`"
                                          : "functions do not see the variables around them: hand it over as an argument");
    return;
  }
  const bool is_function = std::ranges::any_of(script_->functions, [&](const ast::Function* each) { return each->name == node.name; });
  if (is_function || !arities({}, node.name).empty()) {
    error.with_help("`" + text + "` is a function: call it with `" + text + "()`, or hand it over as `Fn(\"" + text + "\")`");
    return;
  }
  if (const auto later = std::ranges::find(variables, node.name, &ast::Variable::name); later != variables.end()) {
    error.with_note((*later)->span, (*later)->span.begin > node.span.begin ? "it is declared only here" : "this one is not visible any more");
    return;
  }
  if (const auto hint = host_.hint(node.name); !hint.empty()) {
    error.with_help(std::string(hint));
    return;
  }
  Nearest nearest(node.name);
  for (const ast::Variable* variable : variables) nearest.see(variable->name);
  std::set<std::string> values;
  host_.each({}, [&](std::string_view value, std::size_t arguments) {
    if (arguments == HostNames::kValue) nearest.see(*values.emplace(value).first);
  });
  error.with_help(nearest.suggestion());
}

const Module* Checker::module_of(const ast::Import& import) const {
  return import.module < 0 ? nullptr : &modules_.all[static_cast<std::size_t>(import.module)];
}

const Module* Checker::follow(const ast::Import* import, ast::List<ast::Segment> segments) const {
  const Module* module = module_of(*import);
  for (std::size_t i = 1; module != nullptr && i + 1 < segments.size(); ++i) {
    const auto& imports = module->tree->script.imports;
    const auto next = std::ranges::find_if(imports, [&](const ast::Import* each) { return each->is_top_level && each->alias == segments[i].name; });
    if (next == imports.end()) {
      diagnostics_.error(segments[i].span, "Module not found: " + joined_names(segments, i + 1));
      return nullptr;
    }
    module = module_of(**next);
  }
  return module;
}

bool Checker::unknown_namespace(const ast::Segment& first, const std::string& space) {
  if (host_.has_namespace(space)) return false;
  auto& error = diagnostics_.error(first.span, "Module not found: " + space);
  Nearest nearest(space);
  for (const ast::Import* import : script_->imports) nearest.see(import->alias);
  std::set<std::string> spaces;
  host_.each_namespace([&](std::string_view path) { nearest.see(*spaces.emplace(path).first); });
  error.with_help(nearest.name().empty() ? "files are taken in with `import \"path\" as " + space + ";`" : nearest.suggestion());
  return true;
}

void Checker::path(const ast::Path& node) {
  if (node.segments[0].name == "global") return;  // told by resolve()
  const ast::Segment& last = node.segments.back();
  const std::string whole = joined_names(node.segments, node.segments.size());
  if (node.import == nullptr) {
    const std::string space = joined_names(node.segments, node.segments.size() - 1);
    if (host_.has_value(space, last.name) || unknown_namespace(node.segments[0], space)) return;
    auto& error = diagnostics_.error(last.span, "Variable not found: " + whole);
    if (!arities(space, last.name).empty()) {
      error.with_help("`" + whole + "` is a function: call it with `" + whole + "()`");
      return;
    }
    Nearest nearest(last.name);
    std::set<std::string> values;
    host_.each(space, [&](std::string_view value, std::size_t) { nearest.see(*values.emplace(value).first); });
    error.with_help(nearest.suggestion(space + "::"));
    return;
  }
  const Module* module = follow(node.import, node.segments);
  if (module == nullptr || !module->is_resolved) return;
  const auto& exports = module->tree->script.exports;
  if (std::ranges::find(exports, last.name, &ast::ExportItem::as) != exports.end()) return;
  auto& error = diagnostics_.error(last.span, "Variable not found: " + whole);
  const DeclaredNames names(module->tree->script);
  const auto hidden = std::ranges::find_if(names.variables, [&](const ast::Variable* each) { return each->is_top_level && each->name == last.name; });
  if (hidden != names.variables.end()) {
    error.with_note((*hidden)->span, "it is declared here, but not exported").with_help("write `export` before its declaration");
    return;
  }
  Nearest nearest(last.name);
  for (const ast::ExportItem& item : exports) nearest.see(item.as);
  error.with_help(nearest.suggestion(joined_names(node.segments, node.segments.size() - 1) + "::"));
}

// --- functions

std::set<std::size_t> Checker::arities(const std::string& space, std::string_view name) const {
  std::set<std::size_t> found;
  host_.each(space, [&](std::string_view each, std::size_t arguments) {
    if (each == name && arguments != HostNames::kValue) found.insert(arguments);
  });
  return found;
}

Diagnostic& Checker::wrong_arity(Span where, std::string_view name, std::size_t given, const std::set<std::size_t>& arities) {
  std::string text = "Function not found: " + std::string(name) + " with " + std::to_string(given) + " argument" + (given == 1 ? "" : "s");
  // It can be caught, and rules that run under several versions do that.
  auto& told = tries_ > 0 ? diagnostics_.warning(where, std::move(text)) : diagnostics_.error(where, std::move(text));
  return told.with_help("`" + std::string(name) + "` takes " + arities_text(arities));
}

void Checker::call(const ast::Call& node) {
  const std::size_t given = node.arguments.size();
  const ast::Segment& last = node.callee.back();
  if (node.callee.size() > 1) {
    if (node.import != nullptr) return call_in_module(node);
    const std::string space = joined_names(node.callee, node.callee.size() - 1);
    if (host_.has_function(space, last.name, given) || unknown_namespace(node.callee[0], space)) return;
    return unknown_function(last.span, space, last.name, given);
  }
  if (node.function != nullptr || host_.has_function({}, last.name, given)) return;
  if (const BuiltIn* row = built_in(last.name)) {
    if (given < row->least) {
      wrong_arity(last.span, last.name, given, {row->least});
    } else if (given > row->most) {
      wrong_arity(last.span, last.name, given, {row->most});
    }
    return;
  }
  unknown_function(last.span, {}, last.name, given);
}

void Checker::unknown_function(Span where, const std::string& space, std::string_view name, std::size_t arguments) {
  auto known = arities(space, name);
  const std::string whole = (space.empty() ? "" : space + "::") + std::string(name);
  const ast::Function* own = nullptr;
  if (space.empty()) {
    for (const ast::Function* function : script_->functions) {
      if (function->name != name) continue;
      known.insert(function->body.parameters.size());
      own = function;
    }
  }
  if (!known.empty()) {
    auto& told = wrong_arity(where, whole, arguments, known);
    if (own != nullptr) told.with_note(own->name_span, "defined here");
    return;
  }
  auto& error = diagnostics_.error(where, "Function not found: " + whole);
  const auto& variables = declared().variables;
  if (space.empty() && std::ranges::find(variables, name, &ast::Variable::name) != variables.end()) {
    error.with_help("`" + whole + "` is a variable: a function pointer is called with `" + whole + ".call(...)`");
    return;
  }
  if (const auto hint = space.empty() ? host_.hint(name) : std::string_view(); !hint.empty()) {
    error.with_help(std::string(hint));
    return;
  }
  std::set<std::string> names;  // what the host shows need not stay
  Nearest nearest(name);
  if (space.empty()) {
    for (const ast::Function* function : script_->functions) nearest.see(function->name);
  }
  host_.each(space, [&](std::string_view each, std::size_t count) {
    if (count != HostNames::kValue) nearest.see(*names.emplace(each).first);
  });
  if (!nearest.name().empty()) {
    error.with_help(nearest.suggestion(space.empty() ? "" : space + "::"));
    return;
  }
  std::string elsewhere;
  host_.each_namespace([&](std::string_view path) {
    if (elsewhere.empty() && path != space && !arities(std::string(path), name).empty()) elsewhere = std::string(path) + "::" + std::string(name);
  });
  if (elsewhere.empty() && !space.empty() && !arities({}, name).empty()) elsewhere = name;
  if (!elsewhere.empty()) error.with_help("did you mean `" + elsewhere + "`?");
}

void Checker::call_in_module(const ast::Call& node) {
  const Module* module = follow(node.import, node.callee);
  if (module == nullptr || !module->is_resolved) return;
  const ast::Segment& last = node.callee.back();
  const std::string whole = joined_names(node.callee, node.callee.size());
  std::set<std::size_t> known;
  const ast::Function* found = nullptr;
  for (const ast::Function* function : module->tree->script.functions) {
    if (function->name != last.name) continue;
    found = function;
    if (function->is_private) continue;
    if (function->body.parameters.size() == node.arguments.size()) return;
    known.insert(function->body.parameters.size());
  }
  if (!known.empty()) {
    wrong_arity(last.span, whole, node.arguments.size(), known).with_note(found->name_span, "defined here");
    return;
  }
  auto& error = diagnostics_.error(last.span, "Function not found: " + whole);
  if (found != nullptr) {
    error.with_note(found->name_span, "this one is private");
    return;
  }
  const auto& exports = module->tree->script.exports;
  if (std::ranges::find(exports, last.name, &ast::ExportItem::as) != exports.end()) {
    error.with_help("`" + whole + "` is a variable: a function pointer is called with `" + whole + ".call(...)`");
    return;
  }
  Nearest nearest(last.name);
  for (const ast::Function* function : module->tree->script.functions) {
    if (!function->is_private) nearest.see(function->name);
  }
  error.with_help(nearest.suggestion(joined_names(node.callee, node.callee.size() - 1) + "::"));
}

// The receiver may be anything, a map with a closure as property too: only a name that occurs nowhere is worth a warning.
void Checker::method_call(const ast::MethodCall& node) {
  const std::size_t given = node.arguments.size();
  if (host_.has_function({}, node.name, given + 1) || built_in(node.name) != nullptr) return;
  for (const ast::Function* function : script_->functions) {
    if (function->name == node.name && function->body.parameters.size() == given) return;
  }
  if (declared().properties.contains(node.name)) return;
  for (const Module& other : modules_.all) {
    if (&other != module_ && DeclaredNames(other.tree->script).properties.contains(node.name)) return;
  }
  std::set<std::size_t> without_receiver;
  for (const std::size_t count : arities({}, node.name)) {
    if (count > 0) without_receiver.insert(count - 1);
  }
  for (const ast::Function* function : script_->functions) {
    if (function->name == node.name) without_receiver.insert(function->body.parameters.size());
  }
  if (!without_receiver.empty()) {
    diagnostics_.warning(node.name_span, "Function not found: " + std::string(node.name) + " with " + std::to_string(given) + " argument" + (given == 1 ? "" : "s"))
        .with_help("as a method, `" + std::string(node.name) + "` takes " + arities_text(without_receiver));
    return;
  }
  auto& warning = diagnostics_.warning(node.name_span, "Function not found: " + std::string(node.name));
  Nearest nearest(node.name);
  for (const ast::Function* function : script_->functions) nearest.see(function->name);
  std::set<std::string> names;
  host_.each({}, [&](std::string_view each, std::size_t count) {
    if (count != HostNames::kValue && count > 0) nearest.see(*names.emplace(each).first);
  });
  warning.with_help(nearest.suggestion());
}

// --- statements

void Checker::block(const ast::Block& node) {
  for (std::size_t i = 0; i + 1 < node.statements.size(); ++i) {
    const Node& each = *node.statements[i];
    std::string name;
    if (each.kind == Kind::Call) {
      const auto& made = ast::as<ast::Call>(each);
      if (made.function != nullptr || made.import != nullptr) continue;
      const std::string space = joined_names(made.callee, made.callee.size() - 1);
      if (host_.is_result_needed(space, made.callee.back().name)) name = joined_names(made.callee, made.callee.size());
    } else if (each.kind == Kind::MethodCall) {
      const auto& made = ast::as<ast::MethodCall>(each);
      if (host_.is_result_needed({}, made.name)) name = made.name;
    }
    if (!name.empty()) diagnostics_.warning(each.span, "the result of `" + name + "` is thrown away");
  }
}

void Checker::for_loop(const ast::For& node) {
  const auto type = ast::certain_type(*node.iterable);
  if (type.empty() || type == "array" || type == "string" || type == "range" || type == "range=") return;
  auto& warning = diagnostics_.warning(node.iterable->span, "Expecting an iterable value, not a " + std::string(type));
  if (type == "i64") warning.with_help("so many rounds are `for i in 0..n`");
  if (type == "map") warning.with_help("go over its `.keys()` or `.values()`");
}

void Checker::let(const ast::Let& node) {
  const ast::Variable& variable = *node.variable;
  if (variable.is_used || variable.is_top_level || variable.name.starts_with('_')) return;
  diagnostics_.warning(variable.span, "`" + std::string(variable.name) + "` is never used")
      .with_help("if that is wanted, let its name begin with `_`");
}

}  // namespace

void check(const Modules& modules, const HostNames& host, Diagnostics& diagnostics, std::span<CheckHook* const> hooks) {
  Checker checker(modules, host, diagnostics, hooks);
  for (const Module& module : modules.all) {
    if (module.is_resolved) checker.check(module);
  }
}

}  // namespace vsl
