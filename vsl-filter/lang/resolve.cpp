#include "vsl-filter/lang/resolve.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "vsl-filter/lang/ast_walk.h"
#include "vsl-filter/lang/shape.h"

namespace vsl {
namespace {

using ast::Kind;
using ast::Node;
using ast::Variable;

// A body that is being resolved. `base` is where its own names begin on the stack.
struct Frame {
  ast::Body* body;
  std::size_t base;
  bool sees_outside;  // a closure sees the names around it, a function does not
  int loops = 0;      // loops around the present place
  std::vector<Variable*> captures{};
};

class Resolver {
 public:
  Resolver(ast::Tree& tree, Diagnostics& diagnostics) : tree_(tree), script_(tree.script), diagnostics_(diagnostics) {}
  void run();

 private:
  struct Binding {
    std::string_view name;
    Variable* variable = nullptr;  // one of the two
    ast::Import* import = nullptr;
  };

  void list_functions();
  const ast::Function* same_function(std::string_view name, std::size_t parameters) const;
  void enter_body(ast::Body& body, bool sees_outside);
  void visit(Node*& node);
  void visit_children(Node& node) {
    ast::for_each_child(node, [this](Node*& child) { visit(child); });
  }

  void declare(Variable* variable);
  Variable* find_variable(std::string_view name) const;
  ast::Import* find_import(std::string_view name) const;
  void capture(Variable* variable);

  void name(ast::Name& node);
  void path(ast::Path& node);
  void refuse_callers_scope(const Node& node);
  void call(Node*& node);
  void assign(ast::Assign& node);
  void block(ast::Block& node);
  void for_loop(ast::For& node);
  void loop(Node& node);
  void leave_loop(const Node& node, std::string_view word);
  void try_catch(ast::Try& node);
  void export_names(ast::Export& node);
  void resolve_globals();

  ast::Tree& tree_;
  ast::Script& script_;
  Diagnostics& diagnostics_;
  std::vector<Frame> frames_;
  std::vector<Binding> stack_;  // what blocks declare, innermost last
  // The top level has many names; they are not searched one by one.
  std::unordered_map<std::string_view, Variable*> top_level_;
  std::unordered_map<std::string_view, ast::Import*> top_level_imports_;
  std::vector<ast::Function*> functions_;  // by name and number of parameters
  std::vector<ast::Path*> globals_;        // global::NAME: the constant may be declared further below
  std::vector<ast::ExportItem> exports_;
  int blocks_ = 0;  // around the present place, within the top level
};

auto function_key(const ast::Function& function) { return std::pair(function.name, function.body.parameters.size()); }

void Resolver::list_functions() {
  functions_.assign(script_.functions.begin(), script_.functions.end());
  std::ranges::sort(functions_, {}, [](const ast::Function* each) { return std::pair(function_key(*each), each->name_span.begin); });
  for (std::size_t i = 1; i < functions_.size(); ++i) {
    const ast::Function& first = *functions_[i - 1];
    const ast::Function& second = *functions_[i];
    if (function_key(first) != function_key(second)) continue;
    diagnostics_
        .error(second.name_span, "function `" + std::string(second.name) + "` with " + std::to_string(second.body.parameters.size()) +
                                     " parameter" + (second.body.parameters.size() == 1 ? "" : "s") + " is defined twice")
        .with_note(first.name_span, "first defined here");
  }
}

const ast::Function* Resolver::same_function(std::string_view name, std::size_t parameters) const {
  const auto at = std::ranges::lower_bound(functions_, std::pair(name, parameters), {}, [](const ast::Function* each) { return function_key(*each); });
  return at != functions_.end() && function_key(**at) == std::pair(name, parameters) ? *at : nullptr;
}

void Resolver::run() {
  list_functions();
  frames_.push_back({&script_.body, 0, false});
  for (Node*& statement : ast::as<ast::Block>(*script_.body.code).statements) visit(statement);
  check_block(ast::as<ast::Block>(*script_.body.code), diagnostics_);
  frames_.pop_back();
  // Functions may use imports and constants that stand behind them.
  for (ast::Function* function : script_.functions) enter_body(function->body, false);
  resolve_globals();
  script_.exports = tree_.list(exports_);
}

void Resolver::enter_body(ast::Body& body, bool sees_outside) {
  body.outer = sees_outside ? frames_.back().body : nullptr;
  frames_.push_back({&body, stack_.size(), sees_outside});
  ++blocks_;
  for (std::size_t i = 0; i < body.parameters.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (body.parameters[i]->name != body.parameters[j]->name) continue;
      diagnostics_.error(body.parameters[i]->span, "parameter `" + std::string(body.parameters[i]->name) + "` is declared twice")
          .with_note(body.parameters[j]->span, "first declared here");
      break;
    }
    declare(body.parameters[i]);
  }
  visit(body.code);
  --blocks_;
  stack_.resize(frames_.back().base);
  body.captures = tree_.list(frames_.back().captures);
  frames_.pop_back();
}

void Resolver::visit(Node*& node) {
  switch (node->kind) {
    case Kind::Name: return name(ast::as<ast::Name>(*node));
    case Kind::Path: return path(ast::as<ast::Path>(*node));
    case Kind::This: frames_.back().body->uses_this = true; return;
    case Kind::Call: return call(node);
    case Kind::MethodCall:
      if (ast::as<ast::MethodCall>(*node).in_callers_scope) refuse_callers_scope(*node);
      break;
    case Kind::Closure: return enter_body(ast::as<ast::Closure>(*node).body, true);
    case Kind::Block: return block(ast::as<ast::Block>(*node));
    case Kind::Assign: return assign(ast::as<ast::Assign>(*node));
    case Kind::For: return for_loop(ast::as<ast::For>(*node));
    case Kind::While:
    case Kind::DoLoop:
    case Kind::Loop: return loop(*node);
    case Kind::Break: leave_loop(*node, "break"); break;
    case Kind::Continue: leave_loop(*node, "continue"); break;
    case Kind::Try: return try_catch(ast::as<ast::Try>(*node));
    case Kind::Export: return export_names(ast::as<ast::Export>(*node));
    case Kind::Let:  // its own name is not visible in its value
      visit_children(*node);
      return declare(ast::as<ast::Let>(*node).variable);
    case Kind::Declaration:
      visit_children(*node);
      declare(ast::as<ast::Declaration>(*node).variable);
      if (Variable* made = ast::as<ast::Declaration>(*node).variable; made->is_top_level) {
        exports_.push_back({made->name, made->name, made->span, made});
      }
      return;
    case Kind::Import: {
      auto& import = ast::as<ast::Import>(*node);
      if (import.alias.empty()) return;
      if (blocks_ == 0) {
        top_level_imports_[import.alias] = &import;
      } else {
        stack_.push_back({import.alias, nullptr, &import});
      }
      return;
    }
    case Kind::Directive: check_directive(ast::as<ast::Directive>(*node), diagnostics_); break;
    case Kind::Map: check_map(ast::as<ast::Map>(*node), diagnostics_); break;
    case Kind::Switch: check_switch(ast::as<ast::Switch>(*node), diagnostics_); break;
    case Kind::Unary: check_unary(ast::as<ast::Unary>(*node), diagnostics_); break;
    case Kind::Binary: check_binary(ast::as<ast::Binary>(*node), diagnostics_); break;
    case Kind::If:
      for (const ast::Branch& branch : ast::as<ast::If>(*node).branches) check_condition(*branch.condition, diagnostics_);
      break;
    default: break;
  }
  visit_children(*node);
}

// --- names

void Resolver::declare(Variable* variable) {
  variable->owner = frames_.back().body;
  if (blocks_ == 0) {
    top_level_[variable->name] = variable;
  } else {
    stack_.push_back({variable->name, variable, nullptr});
  }
}

Variable* Resolver::find_variable(std::string_view name) const {
  std::size_t base = 0;
  bool sees_top_level = true;
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    if (frame->sees_outside) continue;
    base = frame->base;
    sees_top_level = frame->body == &script_.body;
    break;
  }
  for (std::size_t i = stack_.size(); i > base; --i) {
    if (stack_[i - 1].variable != nullptr && stack_[i - 1].name == name) return stack_[i - 1].variable;
  }
  if (!sees_top_level) return nullptr;
  const auto found = top_level_.find(name);
  return found == top_level_.end() ? nullptr : found->second;
}

ast::Import* Resolver::find_import(std::string_view name) const {
  for (std::size_t i = stack_.size(); i > 0; --i) {
    if (stack_[i - 1].import != nullptr && stack_[i - 1].name == name) return stack_[i - 1].import;
  }
  const auto found = top_level_imports_.find(name);
  return found == top_level_imports_.end() ? nullptr : found->second;
}

// Each closure between here and where the variable lives hands it on.
void Resolver::capture(Variable* variable) {
  for (auto frame = frames_.rbegin(); frame != frames_.rend() && frame->body != variable->owner; ++frame) {
    variable->is_captured = true;
    if (std::ranges::find(frame->captures, variable) == frame->captures.end()) frame->captures.push_back(variable);
  }
}

void Resolver::name(ast::Name& node) {
  node.variable = find_variable(node.name);
  if (node.variable == nullptr) return;
  node.variable->is_used = true;
  capture(node.variable);
}

void Resolver::path(ast::Path& node) {
  if (node.segments[0].name == "global") {
    globals_.push_back(&node);
  } else {
    node.import = find_import(node.segments[0].name);
  }
}

void Resolver::resolve_globals() {
  for (ast::Path* path : globals_) {
    const auto found = path->segments.size() == 2 ? top_level_.find(path->segments[1].name) : top_level_.end();
    if (found == top_level_.end()) {
      diagnostics_.error(path->span, "Variable not found: " + std::string(script_.source->text(path->span)))
          .with_help("`global::NAME` is a constant of the top level of this file");
    } else if (!found->second->is_constant) {
      diagnostics_.error(path->span, "Variable not found: " + std::string(script_.source->text(path->span)))
          .with_help("only constants can be read as `global::NAME`: declare it with `const`")
          .with_note(found->second->span, "declared here");
    } else {
      path->variable = found->second;
      path->variable->is_used = path->variable->is_global_used = true;
    }
  }
}

// f!(...) is in the grammar; variables have their places before the script runs, so nothing can be looked up in another scope.
void Resolver::refuse_callers_scope(const Node& node) {
  diagnostics_.error(node.span, "a function cannot run in the scope of its caller").with_help("hand over what it needs as arguments");
}

void Resolver::call(Node*& node) {
  auto& made = ast::as<ast::Call>(*node);
  if (made.in_callers_scope) refuse_callers_scope(made);
  visit_children(made);
  if (made.callee.size() == 2 && made.callee[0].name == "global") made.callee = made.callee.subspan(1);  // global::f() is f()
  if (made.callee.size() > 1) {
    made.import = find_import(made.callee[0].name);
    return;
  }
  const std::string_view called = made.callee[0].name;
  made.function = const_cast<ast::Function*>(same_function(called, made.arguments.size()));
  if (called != "is_def_var" || made.arguments.size() != 1) return;
  if (made.arguments[0]->kind != Kind::String) {
    diagnostics_.error(made.arguments[0]->span, "is_def_var needs a plain string").with_help("what is defined is known before the script runs");
    return;
  }
  const bool is_defined = find_variable(ast::as<ast::String>(*made.arguments[0]).value) != nullptr;
  node = tree_.make<ast::Bool>(Node{Kind::Bool, 1, made.span}, is_defined);
}

void Resolver::assign(ast::Assign& node) {
  visit_children(node);
  const Node* root = node.target;
  while (root->kind == Kind::Property || root->kind == Kind::Index) {
    root = root->kind == Kind::Property ? ast::as<ast::Property>(*root).object : ast::as<ast::Index>(*root).object;
  }
  if (root->kind != Kind::Name) return;
  Variable* variable = ast::as<ast::Name>(*root).variable;
  if (variable == nullptr) return;
  variable->is_assigned = true;
  if (!variable->is_constant) return;
  diagnostics_.error(root->span, "Cannot assign to constant " + std::string(variable->name)).with_note(variable->span, "declared here");
}

// --- blocks

void Resolver::block(ast::Block& node) {
  const std::size_t outside = stack_.size();
  ++blocks_;
  visit_children(node);
  --blocks_;
  stack_.resize(outside);
  check_block(node, diagnostics_);
}

void Resolver::loop(Node& node) {
  const auto condition = [this](Node*& asked) {
    visit(asked);
    check_condition(*asked, diagnostics_);
  };
  const auto body = [this](ast::Block* code) {
    ++frames_.back().loops;
    block(*code);
    --frames_.back().loops;
  };
  switch (node.kind) {
    case Kind::While:
      condition(ast::as<ast::While>(node).condition);
      return body(ast::as<ast::While>(node).block);
    case Kind::DoLoop:
      body(ast::as<ast::DoLoop>(node).block);
      return condition(ast::as<ast::DoLoop>(node).condition);
    default: return body(ast::as<ast::Loop>(node).block);
  }
}

void Resolver::for_loop(ast::For& node) {
  visit(node.iterable);
  const std::size_t outside = stack_.size();
  ++blocks_;
  declare(node.variable);
  if (node.counter != nullptr) declare(node.counter);
  ++frames_.back().loops;
  block(*node.block);
  --frames_.back().loops;
  --blocks_;
  stack_.resize(outside);
  if (node.counter != nullptr && node.counter->name == node.variable->name) {
    diagnostics_.error(node.counter->span, "`" + std::string(node.counter->name) + "` is declared twice").with_note(node.variable->span, "first declared here");
  }
}

void Resolver::leave_loop(const Node& node, std::string_view word) {
  if (frames_.back().loops > 0) return;
  diagnostics_.error(node.span, "`" + std::string(word) + "` outside of a loop")
      .with_help(frames_.back().sees_outside ? "a closure is left with `return`, also inside of a loop" : "a function is left with `return`");
}

void Resolver::try_catch(ast::Try& node) {
  block(*node.block);
  const std::size_t outside = stack_.size();
  ++blocks_;
  if (node.error != nullptr) declare(node.error);
  block(*node.handler);
  --blocks_;
  stack_.resize(outside);
}

void Resolver::export_names(ast::Export& node) {
  if (node.declaration != nullptr) {
    visit_children(node);
    Variable* made = node.declaration->variable;
    made->is_used = true;
    exports_.push_back({made->name, made->name, made->span, made});
  }
  for (ast::ExportItem& item : node.items) {
    item.variable = find_variable(item.name);
    if (item.variable == nullptr) {
      diagnostics_.error(item.span, "Variable not found: " + std::string(item.name)).with_help("functions are exported unless they are `private`");
      continue;
    }
    item.variable->is_used = true;
    exports_.push_back(item);
  }
}

}  // namespace

void resolve(ast::Tree& tree, Diagnostics& diagnostics) { Resolver(tree, diagnostics).run(); }

}  // namespace vsl
