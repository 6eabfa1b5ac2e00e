// Expressions: operators, literals, access, closures, the host's dialect.
//
// A target register is written as the last act of an expression, never before its operands are read: it may be the home of a
// variable that they name.
#include <algorithm>

#include "vsl-filter/lang/compiler_function.h"
#include "vsl-filter/lang/operations.h"

namespace vsl {

using ast::BinaryOperator;
using ast::Kind;

namespace {

// So many values are gathered in registers before they go into an array or map.
constexpr std::size_t kPiece = 64;

}  // namespace

void FunctionCompiler::expression(const Node& node, Register target) {
  At at(*this, node.span);
  switch (node.kind) {
    case Kind::Unit: return unit(target);
    case Kind::Bool: return load_constant(target, ast::as<ast::Bool>(node).value);
    case Kind::Int: return load_constant(target, ast::as<ast::Int>(node).value);
    case Kind::Float: return load_constant(target, ast::as<ast::Float>(node).value);
    case Kind::Char: return load_constant(target, Value::character(ast::as<ast::Char>(node).value));
    case Kind::String: return load_constant(target, text(ast::as<ast::String>(node).value));
    case Kind::Template: return text_template(ast::as<ast::Template>(node), target);
    case Kind::Array: return array(ast::as<ast::Array>(node), target);
    case Kind::Map: return map(ast::as<ast::Map>(node), target);
    case Kind::Name: return name(ast::as<ast::Name>(node), target);
    case Kind::Path: return path(ast::as<ast::Path>(node), target);
    case Kind::This: emit(Op::LoadThis, target == kNone ? temporary() : target); return;
    case Kind::Unary: return unary(ast::as<ast::Unary>(node), target);
    case Kind::Binary: return binary(ast::as<ast::Binary>(node), target);
    case Kind::Index: return index(ast::as<ast::Index>(node), target);
    case Kind::Property: return property(ast::as<ast::Property>(node), target);
    case Kind::Call: return call(ast::as<ast::Call>(node), target);
    case Kind::MethodCall: return method_call(ast::as<ast::MethodCall>(node), target);
    case Kind::Closure: return closure(ast::as<ast::Closure>(node), target);
    case Kind::Directive: return directive(ast::as<ast::Directive>(node), target);
    case Kind::Declaration: return declaration(ast::as<ast::Declaration>(node), target);
    default: return statement(node, target);
  }
}

// The value in some register: a variable's own, or a temporary that lives until the end of the caller's scope.
FunctionCompiler::Register FunctionCompiler::operand(const Node& node) {
  if (node.kind == Kind::Name) {
    const ast::Variable* variable = ast::as<ast::Name>(node).variable;
    if (variable != nullptr && home_of(*variable) == Home::Register) return register_of(*variable);
  }
  const Register r = temporary();
  expression(node, r);
  return r;
}

// The same, but if what is evaluated next may change variables, not a variable's own register.
FunctionCompiler::Register FunctionCompiler::stable_operand(const Node& node, bool is_safe) {
  const Register r = operand(node);
  if (is_safe || !is_variable(r)) return r;
  const Register copy = temporary();
  emit(Op::Move, copy, r);
  return copy;
}

// Whether evaluating the node may assign to variables of this function that live in registers. No function can; blocks and methods
// may.
bool FunctionCompiler::may_change_variables(const Node& node) const {
  const auto any = [this](ast::Nodes nodes) { return std::ranges::any_of(nodes, [this](const Node* n) { return may_change_variables(*n); }); };
  switch (node.kind) {
    case Kind::Unit: case Kind::Bool: case Kind::Int: case Kind::Float: case Kind::Char: case Kind::String:
    case Kind::Name: case Kind::Path: case Kind::This: case Kind::Closure: return false;
    case Kind::Unary: return may_change_variables(*ast::as<ast::Unary>(node).operand);
    case Kind::Binary: return may_change_variables(*ast::as<ast::Binary>(node).left) || may_change_variables(*ast::as<ast::Binary>(node).right);
    case Kind::Index: return may_change_variables(*ast::as<ast::Index>(node).object) || may_change_variables(*ast::as<ast::Index>(node).index);
    case Kind::Property: return may_change_variables(*ast::as<ast::Property>(node).object);
    case Kind::Array: return any(ast::as<ast::Array>(node).elements);
    case Kind::Call: {
      const auto& call = ast::as<ast::Call>(node);
      if (call.callee.size() != 1 || any(call.arguments)) return true;
      const Overloads* native = unit_.program_.natives().find("", call.callee[0].name, call.arguments.size());
      return call.function == nullptr && native != nullptr && native->mutates;
    }
    default: return true;
  }
}

std::optional<std::int16_t> FunctionCompiler::immediate(const Node& node) const {
  if (node.kind != Kind::Int || !unit_.options_.is_optimized) return std::nullopt;
  const std::int64_t number = ast::as<ast::Int>(node).value;
  if (number < INT16_MIN || number > INT16_MAX) return std::nullopt;
  return static_cast<std::int16_t>(number);
}

// What is known now: literals and arithmetic on integers that does not fail. Not through long chains of operators: each operator of
// a chain asks.
std::optional<Value> FunctionCompiler::constant_of(const Node& node, int deepest) {
  if (deepest == 0) return std::nullopt;
  switch (node.kind) {
    case Kind::Unit: return Value();
    case Kind::Bool: return ast::as<ast::Bool>(node).value;
    case Kind::Int: return ast::as<ast::Int>(node).value;
    case Kind::Float: return ast::as<ast::Float>(node).value;
    case Kind::Char: return Value::character(ast::as<ast::Char>(node).value);
    case Kind::String: return text(ast::as<ast::String>(node).value);
    case Kind::Binary: {
      const auto& binary = ast::as<ast::Binary>(node);
      const auto right = constant_of(*binary.right, deepest - 1);
      if (!right || !right->is_int()) return std::nullopt;
      const auto left = constant_of(*binary.left, deepest - 1);
      if (!left || !left->is_int()) return std::nullopt;
      if (binary.op == BinaryOperator::Range || binary.op == BinaryOperator::RangeInclusive) {
        return unit_.program_.heap_.range(left->as_int(), right->as_int(), binary.op == BinaryOperator::RangeInclusive);
      }
      Result result = operate_on_ints(binary.op, left->as_int(), right->as_int());
      if (!result || result->is_absent()) return std::nullopt;
      return *result;
    }
    case Kind::Array: {
      Value array = unit_.program_.heap_.array();
      for (const Node* element : ast::as<ast::Array>(node).elements) {
        auto value = constant_of(*element, deepest - 1);
        if (!value) return std::nullopt;
        array.array_for_write(unit_.program_.heap_).push(std::move(*value));
      }
      return array;
    }
    case Kind::Map: {
      Value map = unit_.program_.heap_.map();
      for (const ast::MapEntry& entry : ast::as<ast::Map>(node).entries) {
        auto value = constant_of(*entry.value, deepest - 1);
        if (!value) return std::nullopt;
        map.map_for_write(unit_.program_.heap_).set(entry.key, std::move(*value));
      }
      return map;
    }
    default: return std::nullopt;
  }
}

void FunctionCompiler::unary(const ast::Unary& node, Register target) {
  Scope scope(*this);
  const Register value = operand(*node.operand);
  if (target == kNone) target = temporary();
  switch (node.op) {
    case ast::UnaryOperator::Minus: emit(Op::Negate, target, value); break;
    case ast::UnaryOperator::Plus: emit(Op::Plus, target, value); break;
    case ast::UnaryOperator::Not: emit(Op::Not, target, value); break;
  }
}

namespace {

struct Operation {
  BinaryOperator op;
  Op code;
};
constexpr Operation kOperations[] = {
    {BinaryOperator::Add, Op::Add},           {BinaryOperator::Subtract, Op::Subtract}, {BinaryOperator::Multiply, Op::Multiply},
    {BinaryOperator::Divide, Op::Divide},     {BinaryOperator::Modulo, Op::Modulo},     {BinaryOperator::Less, Op::Less},
    {BinaryOperator::LessEqual, Op::LessEqual}, {BinaryOperator::Greater, Op::Greater}, {BinaryOperator::GreaterEqual, Op::GreaterEqual},
    {BinaryOperator::Equal, Op::Equal},       {BinaryOperator::NotEqual, Op::NotEqual}, {BinaryOperator::In, Op::In},
    {BinaryOperator::NotIn, Op::NotIn},
};

}  // namespace

void FunctionCompiler::binary(const ast::Binary& node, Register target) {
  if (node.op == BinaryOperator::And || node.op == BinaryOperator::Or || node.op == BinaryOperator::Coalesce) return short_circuit(node, target);
  Scope scope(*this);
  if (const auto folded = unit_.options_.is_optimized ? constant_of(node) : std::nullopt; folded && !folded->is_range()) return load_constant(target, *folded);
  const Register left = stable_operand(*node.left, !may_change_variables(*node.right));
  if (const auto number = immediate(*node.right); number && (node.op == BinaryOperator::Add || node.op == BinaryOperator::Subtract)) {
    emit(node.op == BinaryOperator::Add ? Op::AddI : Op::SubtractI, target == kNone ? temporary() : target, left,
         static_cast<std::uint16_t>(*number));
    return;
  }
  const Register right = operand(*node.right);
  if (target == kNone) target = temporary();
  if (node.op == BinaryOperator::Range || node.op == BinaryOperator::RangeInclusive) {
    emit(Op::MakeRange, target, left, right, node.op == BinaryOperator::RangeInclusive ? 1 : 0);
    return;
  }
  const auto* known = std::ranges::find(kOperations, node.op, &Operation::op);
  if (known != std::end(kOperations))
    emit(known->code, target, left, right);
  else
    emit(Op::Operate, target, left, right, static_cast<std::uint8_t>(node.op));
}

void FunctionCompiler::short_circuit(const ast::Binary& node, Register target) {
  Scope scope(*this);
  // The left value may be the result, but the right side may still read the variable that the result goes to.
  const Register value = target == kNone || is_variable(target) ? temporary() : target;
  Label end;
  expression(*node.left, value);
  if (node.op == BinaryOperator::Coalesce) {
    jump(Op::JumpUnlessUnit, end, value);
    expression(*node.right, value);
  } else {
    jump(node.op == BinaryOperator::And ? Op::JumpIfNot : Op::JumpIf, end, value);
    expression(*node.right, value);
    At at(*this, node.right->span);
    emit(Op::CheckBool, value);
  }
  place(end);
  if (target != kNone && target != value) emit(Op::Take, target, value);
}

void FunctionCompiler::array(const ast::Array& node, Register target) {
  Scope scope(*this);
  const Register result = target == kNone || node.elements.size() > kPiece ? temporary() : target;
  for (std::size_t done = 0; done == 0 || done < node.elements.size(); done += kPiece) {
    Scope piece(*this);
    const Register first = next_;
    const auto part = node.elements.subspan(done, std::min(kPiece, node.elements.size() - done));
    for (const Node* element : part) expression(*element, temporary());
    if (done == 0) {
      emit(Op::MakeArray, result, first, static_cast<std::uint32_t>(part.size()));
    } else {
      const Register more = temporary();
      emit(Op::MakeArray, more, first, static_cast<std::uint32_t>(part.size()));
      emit(Op::AddTo, result, more);
    }
  }
  if (target != kNone && result != target) emit(Op::Take, target, result);
}

void FunctionCompiler::map(const ast::Map& node, Register target) {
  std::vector<std::pair<std::string_view, const Node*>> entries;
  for (const ast::MapEntry& entry : node.entries) entries.emplace_back(entry.key, entry.value);
  make_map(std::move(entries), target);
}

void FunctionCompiler::make_map(std::vector<std::pair<std::string_view, const Node*>> entries, Register target) {
  Scope scope(*this);
  const Register result = target == kNone || entries.size() > kPiece ? temporary() : target;
  for (std::size_t done = 0; done == 0 || done < entries.size(); done += kPiece) {
    Scope piece(*this);
    const Register first = next_;
    std::vector<Value> keys;
    for (std::size_t i = done; i < std::min(entries.size(), done + kPiece); ++i) {
      keys.push_back(text(entries[i].first));
      expression(*entries[i].second, temporary());
    }
    Heap::freeze(keys);
    const auto shape = static_cast<std::uint32_t>(add_row(code_.shapes, std::move(keys)));
    if (done == 0) {
      emit(Op::MakeMap, result, first, shape);
    } else {
      const Register more = temporary();
      emit(Op::MakeMap, more, first, shape);
      emit(Op::AddTo, result, more);
    }
  }
  if (target != kNone && result != target) emit(Op::Take, target, result);
}

void FunctionCompiler::text_template(const ast::Template& node, Register target) {
  Scope scope(*this);
  const Register result = target == kNone || node.parts.size() > kPiece ? temporary() : target;
  for (std::size_t done = 0; done == 0 || done < node.parts.size(); done += kPiece) {
    Scope piece(*this);
    const Register first = next_;
    const auto part = node.parts.subspan(done, std::min(kPiece, node.parts.size() - done));
    for (const Node* one : part) expression(*one, temporary());
    const Register more = done == 0 ? result : temporary();
    emit(Op::MakeString, more, first, static_cast<std::uint32_t>(part.size()));
    if (done != 0) emit(Op::AddTo, result, more);
  }
  if (target != kNone && result != target) emit(Op::Take, target, result);
}

void FunctionCompiler::index(const ast::Index& node, Register target) {
  Scope scope(*this);
  Label end;
  const Register result = target == kNone ? temporary() : target;
  Register object;
  if (node.is_optional) {
    object = temporary();
    expression(*node.object, object);
    Label is_there;
    jump(Op::JumpUnlessUnit, is_there, object);
    unit(result);
    jump(Op::Jump, end);
    place(is_there);
  } else {
    object = stable_operand(*node.object, !may_change_variables(*node.index));
  }
  const Register at = operand(*node.index);
  emit(Op::GetIndex, result, object, at);
  place(end);
}

void FunctionCompiler::property(const ast::Property& node, Register target) {
  Scope scope(*this);
  Label end;
  const Register result = target == kNone ? temporary() : target;
  // Into the same register where possible, so that no second value of a part stays behind.
  const bool may_use_target = target != kNone && !is_variable(target);
  Register object;
  if (node.object->kind == Kind::Name || !may_use_target) {
    object = operand(*node.object);
  } else {
    object = target;
    expression(*node.object, object);
  }
  if (node.is_optional) {
    Label is_there;
    jump(Op::JumpUnlessUnit, is_there, object);
    unit(result);
    jump(Op::Jump, end);
    place(is_there);
  }
  At at(*this, node.name_span);
  emit(Op::GetField, result, object, static_cast<std::uint32_t>(field_index(node.name)));
  place(end);
}

void FunctionCompiler::closure(const ast::Closure& node, Register target) {
  auto owned = std::make_unique<Code>();
  Code& code = *owned;
  code.name = "closure";
  code.is_closure = true;
  code.module = unit_.module_;
  code.source = code_.source;
  unit_.module_->closures.push_back(std::move(owned));
  FunctionCompiler(unit_, code, node.body, this).compile_function();
  ClosureShape shape{&code, {}};
  for (const ast::Variable* variable : node.body.captures)
    if (!is_slot(*variable)) shape.captures.push_back(register_of(*variable));
  Scope scope(*this);
  emit(Op::MakeClosure, target == kNone ? temporary() : target, 0, static_cast<std::uint32_t>(add_row(code_.closures, std::move(shape))));
}

// rule "name" BODY is #{type: "rule", name: "name", evaluate: closure}, with a subject and the keys of a long form.
void FunctionCompiler::directive(const ast::Directive& node, Register target) {
  const DirectiveKeyword& keyword = *node.keyword;
  ast::String type{{Kind::String, 1, node.span}, keyword.word};
  std::vector<std::pair<std::string_view, const Node*>> entries;
  if (node.body->kind == Kind::Map)
    for (const ast::MapEntry& entry : ast::as<ast::Map>(*node.body).entries) entries.emplace_back(entry.key, entry.value);
  else
    entries.emplace_back("evaluate", node.body);
  entries.emplace_back("type", &type);
  entries.emplace_back("name", node.name);
  if (node.subject != nullptr) entries.emplace_back(keyword.subject_key, node.subject);
  make_map(std::move(entries), target);
}

// object NAME TYPE = VALUE: a constant with what the host's constructor makes of the three.
void FunctionCompiler::declaration(const ast::Declaration& node, Register target) {
  Scope scope(*this);
  const std::string_view constructor = node.keyword->constructor;
  const Register window = temporary();
  std::string type(node.prefix);
  if (!type.empty()) type += ':';
  type += node.type;
  load_constant(temporary(), text(node.variable->name));
  load_constant(temporary(), text(type));
  expression(*node.value, temporary());
  const auto row = add_row(code_.natives, NativeCall{constructor, unit_.program_.natives().find("", constructor, 3)});
  emit(Op::CallNative, window, 3, static_cast<std::uint32_t>(row));
  if (target != kNone) emit(Op::Move, target, window);
  if (is_slot(*node.variable)) {
    declare(*node.variable, window);
    return tell(node.variable->name, window);
  }
  emit(Op::Take, static_cast<std::uint32_t>(node.variable->slot), window);
  if (node.variable->is_captured) emit(Op::MakeCell, static_cast<std::uint32_t>(node.variable->slot));
  tell(node.variable->name, static_cast<Register>(node.variable->slot));
}

}  // namespace vsl
