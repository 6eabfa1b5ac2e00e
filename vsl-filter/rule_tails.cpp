#include "vsl-filter/rule_tails.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "vsl-filter/lang/ast_walk.h"

namespace rules {

namespace ast = vsl::ast;
using ast::Kind;
using ast::Node;

namespace {

constexpr auto kDecisions = std::to_array<std::string_view>({"accept", "deny", "faccept", "info", "quarantine"});
constexpr auto kDecisionSpaces = std::to_array<std::string_view>({"state", "status", "vsl", "sys"});

// deny(...), state::deny(...): the name of the status, else "".
std::string_view status_called(const Node& node) {
  if (node.kind != Kind::Call) return {};
  const auto& call = ast::as<ast::Call>(node);
  if (call.function != nullptr || call.import != nullptr || call.callee.size() > 2) return {};
  if (call.callee.size() == 2 && std::ranges::find(kDecisionSpaces, call.callee[0].name) == kDecisionSpaces.end()) return {};
  const std::string_view name = call.callee.back().name;
  return std::ranges::find(kDecisions, name) == kDecisions.end() ? std::string_view() : name;
}

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
    case Kind::Switch:
      for (const ast::Case& one : ast::as<ast::Switch>(node).cases)
        if (const Node* found = find_end(*one.body, see)) return found;
      return nullptr;
    case Kind::Return: {
      const auto& ending = ast::as<ast::Return>(node);
      return ending.value == nullptr ? (see(node) ? &node : nullptr) : find_end(*ending.value, see);
    }
    default: return see(node) ? &node : nullptr;
  }
}

bool is_no_status(const Node& end) {
  switch (end.kind) {
    case Kind::Unit: case Kind::Bool: case Kind::Int: case Kind::Float: case Kind::Char: case Kind::String: case Kind::Template: case Kind::Array:
    case Kind::Map: case Kind::Closure: case Kind::Let: case Kind::Assign: case Kind::While: case Kind::If: case Kind::Block: case Kind::Import:
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

}  // namespace

const Node* without_status(const ast::Directive& directive) {
  const Node* body = body_of(directive);
  if (body == nullptr) return nullptr;
  // Behind a try all ways may have left by return; that is not looked into.
  return find_end(*body, [](const Node& end) { return end.kind != Kind::Try && is_no_status(end); });
}

const Node* ignored_status(const ast::Directive& directive) {
  const Node* body = body_of(directive);
  if (body == nullptr) return nullptr;
  return find_end(*body, [](const Node& end) {
    const std::string_view status = status_called(end);
    return !status.empty() && status != "quarantine";
  });
}

bool always_ends(const ast::Directive& directive) {
  const Node* body = body_of(directive);
  if (body == nullptr) return false;
  if (body->kind != Kind::Block) return !status_called(*body).empty();
  const auto statements = ast::as<ast::Block>(*body).statements;
  if (statements.empty()) return false;
  for (Node* statement : statements)
    if (statement != statements.back() && has_return(*statement)) return false;
  const Node* last = statements.back();
  if (last->kind == Kind::Return) last = ast::as<ast::Return>(*last).value;
  return last != nullptr && !status_called(*last).empty();
}

}  // namespace rules
