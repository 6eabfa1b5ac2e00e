#include "vsl-filter/check/rule_tails.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "vsl-filter/api/api.h"
#include "vsl-filter/lang/ast_walk.h"

namespace rules {

namespace ast = vsl::ast;
using ast::Kind;
using ast::Node;

namespace {

// The closure of a directive, also in its long form; null if it is something else.
const Node* body_of(const ast::Directive& directive) {
  const Node* body = directive.body;
  if (body != nullptr && body->kind == Kind::Map) {
    const auto entries = ast::as<ast::Map>(*body).entries;
    const auto evaluate = std::ranges::find(entries, std::string_view("evaluate"), &ast::MapEntry::key);
    body = evaluate == entries.end() ? nullptr : evaluate->value;
  }
  return body != nullptr && body->kind == Kind::Closure ? ast::as<ast::Closure>(*body).body.code : nullptr;
}

// A case for everything else, or true and false.
bool has_all_cases(std::span<const ast::Case> cases) {
  const auto has = [cases](const auto& is_met) {
    return std::ranges::any_of(cases, [&](const ast::Case& one) { return one.guard == nullptr && is_met(one); });
  };
  const auto has_bool = [&has](bool value) {
    return has([value](const ast::Case& one) {
      return std::ranges::any_of(one.labels, [value](const Node* label) { return label->kind == Kind::Bool && ast::as<ast::Bool>(*label).value == value; });
    });
  };
  return has([](const ast::Case& one) { return one.labels.empty(); }) || (has_bool(true) && has_bool(false));
}

// Calls see(end) for each node whose value is that of `node`, until it says true; then gives that end.
template <class See>
const Node* find_end(const Node& node, const See& see) {
  switch (node.kind) {
    case Kind::Block: {
      const auto statements = ast::as<ast::Block>(node).statements;
      return statements.empty() ? (see(node) ? &node : nullptr) : find_end(*statements.back(), see);
    }
    case Kind::If: {
      const auto& choice = ast::as<ast::If>(node);
      for (const ast::Branch& branch : choice.branches)
        if (const Node* found = find_end(*branch.block, see)) return found;
      if (choice.otherwise != nullptr) return find_end(*choice.otherwise, see);
      return see(node) ? &node : nullptr;  // no branch taken: ()
    }
    case Kind::Switch: {
      const auto cases = ast::as<ast::Switch>(node).cases;
      for (const ast::Case& one : cases)
        if (const Node* found = find_end(*one.body, see)) return found;
      return !has_all_cases(cases) && see(node) ? &node : nullptr;  // no case met: ()
    }
    case Kind::Return: {
      const auto& ending = ast::as<ast::Return>(node);
      return ending.value == nullptr ? (see(node) ? &node : nullptr) : find_end(*ending.value, see);
    }
    default: return see(node) ? &node : nullptr;
  }
}

// A loop's value is () unless a break gives another.
bool may_break_with_value(Node& node) {
  if (node.kind == Kind::Break) return ast::as<ast::Break>(node).value != nullptr;
  if (node.kind == Kind::Closure) return false;
  bool found = false;
  ast::for_each_child(node, [&found](Node*& child) { found = found || may_break_with_value(*child); });
  return found;
}

bool is_no_status(const Node& end) {
  switch (end.kind) {
    case Kind::While: return !may_break_with_value(*ast::as<ast::While>(end).block);
    case Kind::For: return !may_break_with_value(*ast::as<ast::For>(end).block);
    case Kind::Unit: case Kind::Bool: case Kind::Int: case Kind::Float: case Kind::Char: case Kind::String: case Kind::Template: case Kind::Array:
    case Kind::Map: case Kind::Closure: case Kind::Let: case Kind::Assign: case Kind::If: case Kind::Switch: case Kind::Block: case Kind::Import:
    case Kind::Return: case Kind::Try: return true;
    default: return false;
  }
}

// Whether a return of its own, not one of a closure in it, is somewhere in the node.
bool has_return(Node& node) {
  if (node.kind == Kind::Return || node.kind == Kind::Throw) return true;
  if (node.kind == Kind::Closure) return false;
  bool found = false;
  ast::for_each_child(node, [&found](Node*& child) { found = found || has_return(*child); });
  return found;
}

// A status that an action leaves by: return deny();
template <class See>
const Node* find_return(Node& node, const See& see) {
  if (node.kind == Kind::Closure) return nullptr;
  if (node.kind == Kind::Return) {
    const Node* value = ast::as<ast::Return>(node).value;
    if (value != nullptr && see(*value)) return value;
  }
  const Node* found = nullptr;
  ast::for_each_child(node, [&](Node*& child) {
    if (found == nullptr) found = find_return(*child, see);
  });
  return found;
}

}  // namespace

RuleTails::Gives RuleTails::what(const Node& node, int depth) const {
  if (is_no_status(node)) return Gives::NoStatus;
  if (node.kind != Kind::Call) return Gives::Unknown;
  const auto& call = ast::as<ast::Call>(node);
  if (call.import != nullptr) return Gives::Unknown;
  constexpr int kDeepest = 8;
  if (call.function != nullptr) {  // of a function all ways must be the same
    if (depth == kDeepest) return Gives::Unknown;
    const bool may_be_status = find_end(*call.function->body.code, [&](const Node& end) {
      return end.kind == Kind::Try || what(end, depth + 1) != Gives::NoStatus;
    }) != nullptr;
    return may_be_status || has_return(*call.function->body.code) ? Gives::Unknown : Gives::NoStatus;
  }
  std::string space;
  for (std::size_t i = 0; i + 1 < call.callee.size(); ++i) space += (i == 0 ? "" : "::") + std::string(call.callee[i].name);
  const vsl::Overloads* overloads = natives_.find(space, call.callee.back().name, call.arguments.size());
  if (overloads == nullptr) return Gives::Unknown;
  const auto gives_status = [](const vsl::NativeRow* row) { return (row->flags & kGivesStatus) != 0; };
  if (std::ranges::none_of(overloads->rows, gives_status)) {
    const bool is_api = std::ranges::all_of(overloads->rows, [](const vsl::NativeRow* row) { return row->host_data != 0; });
    return is_api ? Gives::NoStatus : Gives::Unknown;
  }
  const std::string_view name = call.callee.back().name;
  if (name == "next") return Gives::Next;
  if (name == "quarantine") return Gives::Quarantine;
  constexpr auto kDecisions = std::to_array<std::string_view>({"accept", "deny", "faccept", "info", "packet", "success", "defer"});
  return std::ranges::find(kDecisions, name) == kDecisions.end() ? Gives::Check : Gives::Decision;
}

const Node* RuleTails::without_status(const ast::Directive& directive) const {
  const Node* body = body_of(directive);
  if (body == nullptr) return nullptr;
  // Behind a try all ways may have left by return; that is not looked into.
  return find_end(*body, [this](const Node& end) { return end.kind != Kind::Try && what(end) == Gives::NoStatus; });
}

const Node* RuleTails::ignored_status(const ast::Directive& directive) const {
  const Node* body = body_of(directive);
  if (body == nullptr) return nullptr;
  const auto is_status = [this](const Node& node) {
    const Gives gives = what(node);
    return gives == Gives::Decision || gives == Gives::Check;
  };
  if (const Node* end = find_end(*body, is_status)) return end;
  return find_return(const_cast<Node&>(*body), is_status);  // looked at only
}

bool RuleTails::always_ends(const ast::Directive& directive) const {
  const Node* body = body_of(directive);
  if (body == nullptr) return false;
  Node* last = const_cast<Node*>(body);  // looked at only
  if (body->kind == Kind::Block) {
    const auto statements = ast::as<ast::Block>(*body).statements;
    if (statements.empty()) return false;
    for (Node* statement : statements)
      if (statement != statements.back() && has_return(*statement)) return false;
    last = statements.back();
  }
  if (last->kind == Kind::Return) last = ast::as<ast::Return>(*last).value;
  if (last == nullptr || has_return(*last)) return false;
  return find_end(*last, [this](const Node& end) {
           const Gives gives = what(end);
           return gives != Gives::Decision && gives != Gives::Quarantine;
         }) == nullptr;
}

void RuleTails::dropped_statuses(const Node& code, const See& see) const { see_dropped(code, false, false, see); }

// `is_inner`: the node is the value of an if, a switch or a block that is a statement.
void RuleTails::see_dropped(const Node& node, bool is_dropped, bool is_inner, const See& see) const {
  switch (node.kind) {
    case Kind::Block: {
      const auto statements = ast::as<ast::Block>(node).statements;
      for (const Node* statement : statements) {
        const bool is_last = statement == statements.back();
        see_dropped(*statement, is_dropped || !is_last, is_dropped && is_last, see);
      }
      return;
    }
    case Kind::If: {
      const auto& choice = ast::as<ast::If>(node);
      for (const ast::Branch& branch : choice.branches) see_dropped(*branch.block, is_dropped, true, see);
      if (choice.otherwise != nullptr) see_dropped(*choice.otherwise, is_dropped, true, see);
      return;
    }
    case Kind::Switch:
      for (const ast::Case& one : ast::as<ast::Switch>(node).cases) see_dropped(*one.body, is_dropped, true, see);
      return;
    case Kind::Try:
      see_dropped(*ast::as<ast::Try>(node).block, is_dropped, true, see);
      see_dropped(*ast::as<ast::Try>(node).handler, is_dropped, true, see);
      return;
    case Kind::For: return see_dropped(*ast::as<ast::For>(node).block, true, true, see);
    case Kind::While: return see_dropped(*ast::as<ast::While>(node).block, true, true, see);
    case Kind::Loop: return see_dropped(*ast::as<ast::Loop>(node).block, true, true, see);
    case Kind::DoLoop: return see_dropped(*ast::as<ast::DoLoop>(node).block, true, true, see);
    case Kind::Call:
      if (const Gives gives = what(node); is_dropped && gives > Gives::NoStatus && (is_inner || gives == Gives::Quarantine)) see(ast::as<ast::Call>(node));
      return;
    default: return;
  }
}

}  // namespace rules
