#include "vsl-filter/lang/shape.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "vsl-filter/lang/ast_dump.h"
#include "vsl-filter/lang/certain.h"

namespace vsl {
namespace {

using ast::Kind;
using ast::Node;

// "a string", "an array"
std::string with_article(std::string_view type) {
  const bool is_vowel = !type.empty() && std::string_view("aeio").find(type.front()) != std::string_view::npos;
  return (is_vowel ? "an " : "a ") + std::string(type);
}

std::string_view dead_end(const Node& node) {
  switch (node.kind) {
    case Kind::Return: return "`return`";
    case Kind::Throw: return "`throw`";
    case Kind::Break: return "`break`";
    case Kind::Continue: return "`continue`";
    default: return "this";
  }
}

// What a statement does when nobody looks at its value; empty if it may do something.
std::string_view useless(const Node& node) {
  switch (node.kind) {
    case Kind::Unit: case Kind::Bool: case Kind::Int: case Kind::Float: case Kind::Char: case Kind::String: return "this value";
    case Kind::Name: case Kind::Path: case Kind::This: return "reading this";
    case Kind::Closure: return "a closure that nobody keeps";
    case Kind::Unary: return useless(*ast::as<ast::Unary>(node).operand).empty() ? std::string_view() : "this operation";
    case Kind::Binary: {
      const auto& made = ast::as<ast::Binary>(node);
      if (made.op == ast::BinaryOperator::Equal) return "a comparison";
      return useless(*made.left).empty() || useless(*made.right).empty() ? std::string_view() : "this operation";
    }
    default: return {};
  }
}

}  // namespace

void check_condition(const Node& node, Diagnostics& diagnostics) {
  const auto type = ast::certain_type(node);
  if (type.empty() || type == "bool") return;
  auto& error = diagnostics.error(node.span, "Expecting a boolean expression, not " + with_article(type));
  if (type == "i64") error.with_help("numbers are neither true nor false: compare with `!= 0`");
  if (type == "string") error.with_help("strings are neither true nor false: compare with `!= \"\"`");
  if (type == "()") error.with_help("this has no value");
}

void check_unary(const ast::Unary& node, Diagnostics& diagnostics) {
  if (node.op == ast::UnaryOperator::Not) check_condition(*node.operand, diagnostics);
}

void check_binary(const ast::Binary& node, Diagnostics& diagnostics) {
  using Op = ast::BinaryOperator;
  if (node.op == Op::And || node.op == Op::Or) {
    check_condition(*node.left, diagnostics);
    check_condition(*node.right, diagnostics);
  }
  const bool is_negated = node.left->kind == Kind::Unary && ast::as<ast::Unary>(*node.left).op == ast::UnaryOperator::Not;
  if (!is_negated || ast::certain_type(*node.right) == "bool") return;
  if (node.op == Op::In || node.op == Op::Equal || node.op == Op::Less || node.op == Op::LessEqual || node.op == Op::Greater || node.op == Op::GreaterEqual) {
    const std::string op(ast::operator_text(node.op));
    const std::string_view instead = node.op == Op::In ? "!in" : node.op == Op::Equal ? "!=" : "";
    auto& warning = diagnostics.warning(node.span, "`!` binds tighter than `" + op + "`: this is `(!a) " + op + " b`");
    warning.with_help(instead.empty() ? "write `!(a " + op + " b)`" : "write `a " + std::string(instead) + " b`");
  }
}

void check_map(const ast::Map& node, Diagnostics& diagnostics) {
  const auto tell = [&](const ast::MapEntry& first, const ast::MapEntry& second) {
    diagnostics.error(second.key_span, "duplicate key `" + std::string(second.key) + "` in this map").with_note(first.key_span, "first written here");
  };
  if (node.entries.size() <= 8) {
    for (std::size_t i = 1; i < node.entries.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (node.entries[i].key != node.entries[j].key) continue;
        tell(node.entries[j], node.entries[i]);
        break;
      }
    }
    return;
  }
  std::unordered_map<std::string_view, const ast::MapEntry*> seen;
  for (const ast::MapEntry& entry : node.entries) {
    const auto [place, is_new] = seen.emplace(entry.key, &entry);
    if (!is_new) tell(*place->second, entry);
  }
}

void check_switch(const ast::Switch& node, Diagnostics& diagnostics) {
  std::unordered_map<std::string, Span> seen;  // labels without a guard, in the form of the dump
  for (std::size_t i = 0; i < node.cases.size(); ++i) {
    const ast::Case& each = node.cases[i];
    if (each.guard != nullptr) check_condition(*each.guard, diagnostics);
    if (each.labels.empty()) {
      if (i + 1 < node.cases.size()) {
        diagnostics.error(node.cases[i + 1].span, "no case can stand behind `_`").with_note(each.span, "this case takes all that is left");
        return;
      }
      if (each.guard != nullptr) {
        diagnostics.error(each.guard->span, "the case `_` cannot have a condition").with_help("ask in its body: `_ => if ... { } else { }`");
      }
    }
    for (const Node* label : each.labels) {
      const std::string key = ast::dump(*label);
      if (const auto before = seen.find(key); before != seen.end()) {
        diagnostics.warning(label->span, "this label is never reached").with_note(before->second, "this one takes it");
      } else if (each.guard == nullptr) {
        seen.emplace(key, label->span);
      }
    }
  }
}

void check_block(const ast::Block& node, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i + 1 < node.statements.size(); ++i) {
    const Node& each = *node.statements[i];
    if (ast::leaves(each)) {
      diagnostics.warning(node.statements[i + 1]->span, "this is never reached").with_note(each.span, std::string(dead_end(each)) + " leaves here");
      return;
    }
    if (const auto what = useless(each); !what.empty()) {
      auto& warning = diagnostics.warning(each.span, std::string(what) + " has no effect here");
      if (each.kind == Kind::Binary && ast::as<ast::Binary>(each).op == ast::BinaryOperator::Equal) warning.with_help("assignment is written `=`");
    }
  }
}

// Spec 2.3: the long form needs a key `evaluate` with a closure.
void check_directive(const ast::Directive& node, Diagnostics& diagnostics) {
  if (node.body->kind != Kind::Map) return;
  for (const ast::MapEntry& entry : ast::as<ast::Map>(*node.body).entries) {
    if (entry.key != "evaluate") continue;
    const auto type = ast::certain_type(*entry.value);
    if (type.empty() || type == "Fn") return;
    diagnostics.error(entry.value->span, "'evaluate' of '" + std::string(node.name->value) + "' must be a closure, not " + with_article(type))
        .with_help("write `evaluate: || { ... }`");
    return;
  }
  if (!node.keyword->needs_evaluate) return;
  diagnostics
      .error(node.name->span, "'evaluate' function is missing from '" + std::string(node.name->value) + "' " + std::string(node.keyword->noun))
      .with_help("add `evaluate: || { ... }` to the map");
}

}  // namespace vsl
