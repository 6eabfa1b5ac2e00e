#include "vsl-filter/lang/certain.h"

#include <algorithm>

namespace vsl::ast {
namespace {

std::string_view type_of_operator(const Binary& node) {
  switch (node.op) {
    case BinaryOperator::Range: return "range";
    case BinaryOperator::RangeInclusive: return "range=";
    case BinaryOperator::Equal: case BinaryOperator::NotEqual: case BinaryOperator::In: case BinaryOperator::NotIn:
    case BinaryOperator::And: case BinaryOperator::Or: return "bool";
    case BinaryOperator::Add: {  // a string on either side makes a string
      const auto left = certain_type(*node.left);
      const auto right = certain_type(*node.right);
      if (left == "string" || right == "string") return "string";
      return left == right && (left == "i64" || left == "f64") ? left : std::string_view();
    }
    case BinaryOperator::Subtract: case BinaryOperator::Multiply: case BinaryOperator::Divide: case BinaryOperator::Modulo:
    case BinaryOperator::Power: {
      const auto left = certain_type(*node.left);
      const auto right = certain_type(*node.right);
      return left == right && (left == "i64" || left == "f64") ? left : std::string_view();
    }
    default: return {};
  }
}

}  // namespace

std::string_view certain_type(const Node& node) {
  switch (node.kind) {
    case Kind::Unit: return "()";
    case Kind::Bool: return "bool";
    case Kind::Int: return "i64";
    case Kind::Float: return "f64";
    case Kind::Char: return "char";
    case Kind::String:
    case Kind::Template: return "string";
    case Kind::Array: return "array";
    case Kind::Map:
    case Kind::Directive: return "map";
    case Kind::Closure: return "Fn";
    case Kind::Unary: return as<Unary>(node).op == UnaryOperator::Not ? "bool" : certain_type(*as<Unary>(node).operand);
    case Kind::Binary: return type_of_operator(as<Binary>(node));
    case Kind::Let: case Kind::Assign: case Kind::While: case Kind::DoLoop: case Kind::Import: case Kind::Export: case Kind::Try:
      return node.kind == Kind::While || node.kind == Kind::DoLoop ? std::string_view() : "()";  // loops may break with a value
    case Kind::Block: {
      const auto statements = as<Block>(node).statements;
      if (statements.empty()) return "()";
      return leaves(node) ? std::string_view() : certain_type(*statements.back());
    }
    default: return {};
  }
}

bool leaves(const Node& node) {
  switch (node.kind) {
    case Kind::Break: case Kind::Continue: case Kind::Return: case Kind::Throw: return true;
    case Kind::Block: return std::ranges::any_of(as<Block>(node).statements, [](const Node* each) { return leaves(*each); });
    case Kind::If: {
      const auto& choice = as<If>(node);
      return choice.otherwise != nullptr && leaves(*choice.otherwise) &&
             std::ranges::all_of(choice.branches, [](const Branch& branch) { return leaves(*branch.block); });
    }
    default: return false;
  }
}

}  // namespace vsl::ast
