// Statements: declarations, assignments, try, blocks.
#include "vsl-filter/lang/compiler_function.h"

namespace vsl {

using ast::BinaryOperator;
using ast::Kind;

void FunctionCompiler::statement(const Node& node, Register target) {
  At at(*this, node.span);
  switch (node.kind) {
    case Kind::Block: return block(ast::as<ast::Block>(node), target);
    case Kind::If: return if_else(ast::as<ast::If>(node), target);
    case Kind::Switch: return switch_case(ast::as<ast::Switch>(node), target);
    case Kind::While: return while_loop(ast::as<ast::While>(node), target);
    case Kind::DoLoop: return do_loop(ast::as<ast::DoLoop>(node), target);
    case Kind::Loop: return endless_loop(ast::as<ast::Loop>(node), target);
    case Kind::For: return for_loop(ast::as<ast::For>(node), target);
    case Kind::Break: return break_loop(ast::as<ast::Break>(node).value);
    case Kind::Continue:
      if (!loops_.empty()) jump(Op::Jump, loops_.back()->again);
      return;
    case Kind::Return: return return_value(ast::as<ast::Return>(node).value);
    case Kind::Throw: return throw_value(ast::as<ast::Throw>(node));
    case Kind::Let: let(ast::as<ast::Let>(node)); break;
    case Kind::Assign: assign(ast::as<ast::Assign>(node)); break;
    case Kind::Try: try_catch(ast::as<ast::Try>(node)); break;
    case Kind::Export:
      if (ast::as<ast::Export>(node).declaration != nullptr) let(*ast::as<ast::Export>(node).declaration);
      break;
    case Kind::Import: break;  // was evaluated before
    case Kind::Error: raise(ErrorKind::Parsing, "this part of the script could not be read"); break;
    default: {
      Scope scope(*this);
      return expression(node, target == kNone ? temporary() : target);
    }
  }
  unit(target);
}

// Variables of the block live until its end; the value is that of its last statement.
void FunctionCompiler::block(const ast::Block& node, Register target) {
  Scope scope(*this);
  if (node.statements.empty()) return unit(target);
  for (const Node* one : node.statements.first(node.statements.size() - 1)) statement(*one, kNone);
  statement(*node.statements.back(), target);
}

void FunctionCompiler::let(const ast::Let& node) {
  if (is_slot(*node.variable)) {
    Scope scope(*this);
    const Register value = temporary();
    if (node.value != nullptr)
      expression(*node.value, value);
    else
      unit(value);
    declare(*node.variable, value);
    return tell(node.variable->name, value);
  }
  const Register home = temporary();
  if (node.value != nullptr)
    expression(*node.value, home);
  else
    unit(home);
  declare(*node.variable, home);
  tell(node.variable->name, home);
}

void FunctionCompiler::assign(const ast::Assign& node) {
  Scope scope(*this);
  if (node.target->kind == Kind::Name) {
    const auto& name = ast::as<ast::Name>(*node.target);
    if (name.variable == nullptr) {
      expression(*node.value, temporary());
      return raise(ErrorKind::VariableNotFound, "Variable not found: " + std::string(name.name));
    }
    assign_variable(node, *name.variable);
    if (!name.variable->is_constant) tell(name.name, register_of(*name.variable));
    return;
  }
  assign_part(node);
}

void FunctionCompiler::assign_variable(const ast::Assign& node, const ast::Variable& variable) {
  if (variable.is_constant) {
    expression(*node.value, temporary());
    return raise(ErrorKind::AssignmentToConstant, "Cannot assign to constant " + std::string(variable.name));
  }
  const Register home = register_of(variable);
  if (home_of(variable) == Home::Cell) {
    const Register value = operand(*node.value);
    if (!node.is_compound) {
      emit(Op::SetCell, home, value);
      return;
    }
    Assignment assignment{{Place::Root::Cell, false, home, {}}, true, static_cast<std::uint8_t>(node.op)};
    emit(Op::AssignPlace, 0, value, static_cast<std::uint32_t>(add_row(code_.assignments, std::move(assignment))));
    return;
  }
  if (!node.is_compound) return expression(*node.value, home);
  if (const auto number = immediate(*node.value); number && (node.op == BinaryOperator::Add || node.op == BinaryOperator::Subtract)) {
    emit(node.op == BinaryOperator::Add ? Op::AddI : Op::SubtractI, home, home, static_cast<std::uint16_t>(*number), 1);
    return;
  }
  const Register value = operand(*node.value);
  if (node.op == BinaryOperator::Add)
    emit(Op::AddTo, home, value);
  else
    emit(Op::Operate, home, home, value, static_cast<std::uint8_t>(node.op));
}

namespace {

// The a of a.b[i].c.
const ast::Node* root_of(const ast::Node& node) {
  const ast::Node* root = &node;
  while (root->kind == Kind::Index || root->kind == Kind::Property)
    root = root->kind == Kind::Index ? ast::as<ast::Index>(*root).object : ast::as<ast::Property>(*root).object;
  return root;
}

}  // namespace

// a[i] = 0, where the index is a variable.
bool FunctionCompiler::assign_constant_at(const ast::Assign& node) {
  if (node.is_compound || unit_.options_.tells_assignments || !unit_.options_.is_optimized || node.target->kind != Kind::Index) return false;
  const auto& index = ast::as<ast::Index>(*node.target);
  const auto register_or_none = [this](const Node& name) {
    const ast::Variable* variable = name.kind == Kind::Name ? ast::as<ast::Name>(name).variable : nullptr;
    return variable != nullptr && home_of(*variable) == Home::Register ? register_of(*variable) : kNone;
  };
  const Register object = register_or_none(*index.object), at_index = register_or_none(*index.index);
  if (index.is_optional || object == kNone || at_index == kNone || ast::as<ast::Name>(*index.object).variable->is_constant) return false;
  const auto value = constant_of(*node.value);
  if (!value || value->tag() > Tag::String) return false;
  const std::size_t constant = constant_index(*value);
  if (constant > 0xFFFF) return false;
  At at(*this, node.target->span);
  emit(Op::SetIndexK, object, at_index, static_cast<std::uint32_t>(constant));
  return true;
}

// this = v, a[i] = v, a.b[i].c += v
void FunctionCompiler::assign_part(const ast::Assign& node) {
  if (assign_constant_at(node)) return;
  const Register value = stable_operand(*node.value, !may_change_variables(*node.target));
  auto place = place_of(*node.target, true);
  At at(*this, node.target->span);
  if (!place) {
    const Node* root = root_of(*node.target);
    const bool is_constant = root->kind == Kind::Name || root->kind == Kind::Path;
    if (root->kind == Kind::Name && ast::as<ast::Name>(*root).variable == nullptr && !host_value("", ast::as<ast::Name>(*root).name, kNone))
      return raise(ErrorKind::VariableNotFound, "Variable not found: " + std::string(ast::as<ast::Name>(*root).name));
    if (root == node.target || (is_constant && node.is_compound)) return raise(ErrorKind::AssignmentToConstant, "Cannot assign to constant");
    // Of constants and results of calls only what is a handle of the host keeps the change (d: anything else is an error).
    const Register object = temporary();
    if (node.target->kind == Kind::Property) {
      const auto& property = ast::as<ast::Property>(*node.target);
      expression(*property.object, object);
      emit(Op::SetField, object, value, static_cast<std::uint32_t>(field_index(property.name)), is_constant ? 1 : 0);
    } else {
      const auto& index = ast::as<ast::Index>(*node.target);
      expression(*index.object, object);
      emit(Op::SetIndex, object, operand(*index.index), value, is_constant ? 1 : 0);
    }
    return tell(unit_.text_of(node.target->span), value);
  }
  if (place->is_constant) {
    return raise(ErrorKind::AssignmentToConstant, "Cannot assign to constant " + std::string(ast::as<ast::Name>(*root_of(*node.target)).name));
  }
  const Place told = unit_.options_.tells_assignments ? *place : Place();
  const bool is_simple = place->root == Place::Root::Register && place->steps.size() == 1 && !node.is_compound && !place->steps[0].is_optional;
  if (is_simple && place->steps[0].is_index) {
    emit(Op::SetIndex, place->base, place->steps[0].index, value);
  } else if (is_simple) {
    emit(Op::SetField, place->base, value, static_cast<std::uint32_t>(field_index(ast::as<ast::Property>(*node.target).name)));
  } else {
    Assignment assignment{std::move(*place), node.is_compound, static_cast<std::uint8_t>(node.op)};
    emit(Op::AssignPlace, 0, value, static_cast<std::uint32_t>(add_row(code_.assignments, std::move(assignment))));
  }
  tell(node, value, told);
}

void FunctionCompiler::try_catch(const ast::Try& node) {
  Scope scope(*this);
  const Register caught = temporary();
  temporary();  // its kind, for `throw` alone
  const auto begin = static_cast<std::uint32_t>(here());
  block(*node.block, kNone);
  const auto end_of_block = static_cast<std::uint32_t>(here());
  Label end;
  jump(Op::Jump, end);
  code_.handlers.push_back({begin, end_of_block, static_cast<std::uint32_t>(here()), caught});
  caught_.push_back(caught);
  if (node.error != nullptr) {
    const Register home = temporary();
    emit(Op::Move, home, caught);
    declare(*node.error, home);
    tell(node.error->name, home);
  }
  block(*node.handler, kNone);
  caught_.pop_back();
  place(end);
}

void FunctionCompiler::throw_value(const ast::Throw& node) {
  Scope scope(*this);
  if (node.value == nullptr && !caught_.empty()) {
    emit(Op::Rethrow, caught_.back());
    return;
  }
  const Register value = temporary();
  if (node.value != nullptr)
    expression(*node.value, value);
  else
    unit(value);
  emit(Op::Throw, value);
}

void FunctionCompiler::return_value(const Node* value) {
  Scope scope(*this);
  if (epilogue_ != nullptr) {  // register 1 holds the value of a top level
    if (value != nullptr)
      expression(*value, 1);
    else
      unit(1);
    return jump(Op::Jump, *epilogue_);
  }
  if (value == nullptr) {
    emit(Op::ReturnUnit, 0);
    return;
  }
  tail(*value);
}

}  // namespace vsl
