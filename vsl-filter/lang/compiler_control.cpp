// Conditions, branches, loops.
#include <algorithm>

#include "vsl-filter/lang/compiler_function.h"

namespace vsl {

using ast::BinaryOperator;
using ast::Kind;

// The last thing of a function: its value is the function's.
void FunctionCompiler::tail(const Node& node) {
  At at(*this, node.span);
  if (node.kind == Kind::Block) {
    Scope scope(*this);
    const auto& statements = ast::as<ast::Block>(node).statements;
    if (statements.empty()) {
      emit(Op::ReturnUnit, 0);
      return;
    }
    for (const Node* one : statements.first(statements.size() - 1)) statement(*one, kNone);
    return tail(*statements.back());
  }
  if (node.kind == Kind::If) {
    const auto& branches = ast::as<ast::If>(node);
    for (const ast::Branch& branch : branches.branches) {
      Label next;
      jump_if(*branch.condition, false, next);
      tail(*branch.block);
      place(next);
    }
    if (branches.otherwise != nullptr) return tail(*branches.otherwise);
    emit(Op::ReturnUnit, 0);
    return;
  }
  if (node.kind == Kind::Return) return return_value(ast::as<ast::Return>(node).value);
  Scope scope(*this);
  emit(Op::Return, operand(node));
}

namespace {

struct CompareJump {
  BinaryOperator op;
  bool swaps;                 // a > b is b < a
  Op when, unless;            // registers
  Op when_i, unless_i;        // a number on the right
};
constexpr CompareJump kCompareJumps[] = {
    {BinaryOperator::Less, false, Op::JumpLess, Op::JumpNotLess, Op::JumpLessI, Op::JumpNotLessI},
    {BinaryOperator::LessEqual, false, Op::JumpLessEqual, Op::JumpNotLessEqual, Op::JumpLessEqualI, Op::JumpNotLessEqualI},
    {BinaryOperator::Greater, true, Op::JumpLess, Op::JumpNotLess, Op::JumpGreaterI, Op::JumpNotGreaterI},
    {BinaryOperator::GreaterEqual, true, Op::JumpLessEqual, Op::JumpNotLessEqual, Op::JumpGreaterEqualI, Op::JumpNotGreaterEqualI},
};

}  // namespace

// Jumps if the condition is `sense`, else goes on.
void FunctionCompiler::jump_if(const Node& condition, bool sense, Label& label) {
  At at(*this, condition.span);
  Scope scope(*this);
  if (condition.kind == Kind::Unary && ast::as<ast::Unary>(condition).op == ast::UnaryOperator::Not)
    return jump_if(*ast::as<ast::Unary>(condition).operand, !sense, label);
  if (condition.kind == Kind::Binary) {
    const auto& binary = ast::as<ast::Binary>(condition);
    const bool is_and = binary.op == BinaryOperator::And;
    if (is_and || binary.op == BinaryOperator::Or) {
      // `a && b` is false, `a || b` is true as soon as the left side is.
      if (is_and != sense) {
        jump_if(*binary.left, sense, label);
        return jump_if(*binary.right, sense, label);
      }
      Label decided;
      jump_if(*binary.left, !sense, decided);
      jump_if(*binary.right, sense, label);
      return place(decided);
    }
    if (jump_compare(binary, sense, label)) return;
  }
  if (condition.kind == Kind::Bool) {
    if (ast::as<ast::Bool>(condition).value == sense) jump(Op::Jump, label);
    return;
  }
  jump(sense ? Op::JumpIf : Op::JumpIfNot, label, operand(condition));
}

bool FunctionCompiler::jump_compare(const ast::Binary& node, bool sense, Label& label) {
  const bool is_equality = node.op == BinaryOperator::Equal || node.op == BinaryOperator::NotEqual;
  const auto* row = std::ranges::find(kCompareJumps, node.op, &CompareJump::op);
  if (!is_equality && row == std::end(kCompareJumps)) return false;
  const Register left = stable_operand(*node.left, !may_change_variables(*node.right));
  if (is_equality) {
    const bool jumps_if_equal = (node.op == BinaryOperator::Equal) == sense;
    const auto constant = constant_of(*node.right);
    const std::size_t index = constant ? constant_index(*constant) : 0x10000;
    if (index <= 0xFFFF)
      jump(jumps_if_equal ? Op::JumpEqualK : Op::JumpNotEqualK, label, left, static_cast<std::uint32_t>(index));
    else
      jump(jumps_if_equal ? Op::JumpEqual : Op::JumpNotEqual, label, left, operand(*node.right));
    return true;
  }
  if (const auto number = immediate(*node.right)) {
    jump(sense ? row->when_i : row->unless_i, label, left, static_cast<std::uint16_t>(*number));
    return true;
  }
  const Register right = operand(*node.right);
  jump(sense ? row->when : row->unless, label, row->swaps ? right : left, row->swaps ? left : right);
  return true;
}

void FunctionCompiler::if_else(const ast::If& node, Register target) {
  Label end;
  for (const ast::Branch& branch : node.branches) {
    Label next;
    jump_if(*branch.condition, false, next);
    block(*branch.block, target);
    const bool is_last = &branch == &node.branches.back() && node.otherwise == nullptr && target == kNone;
    if (!is_last) jump(Op::Jump, end);
    place(next);
  }
  if (node.otherwise != nullptr)
    block(*node.otherwise, target);
  else
    unit(target);
  place(end);
}

void FunctionCompiler::switch_case(const ast::Switch& node, Register target) {
  Scope scope(*this);
  const bool has_guards = std::ranges::any_of(node.cases, [](const ast::Case& c) { return c.guard != nullptr; });
  const Register subject = stable_operand(*node.subject, !has_guards);
  Label end;
  for (const ast::Case& one : node.cases) {
    At at(*this, one.span);
    Label next;
    if (!one.labels.empty()) case_labels(one, subject, next);
    if (one.guard != nullptr) jump_if(*one.guard, false, next);
    statement(*one.body, target);
    jump(Op::Jump, end);
    place(next);
  }
  unit(target);
  place(end);
}

// Goes on if the subject is one of the labels, else to `next`.
void FunctionCompiler::case_labels(const ast::Case& one, Register subject, Label& next) {
  Label body;
  for (const Node* node : one.labels) {
    const bool is_last = node == one.labels.back();
    auto value = constant_of(*node, 256);
    if (!value) {  // the parser lets only literals pass
      raise(ErrorKind::Parsing, "a label must be a literal");
      continue;
    }
    Scope scope(*this);
    if (value->is_range()) {
      Label no;
      jump(Op::JumpOutsideRange, is_last ? next : no, subject, static_cast<std::uint32_t>(constant_index(*value)));
      if (!is_last) jump(Op::Jump, body);
      place(no);
      continue;
    }
    const std::size_t index = constant_index(*value);
    if (index <= 0xFFFF) {
      jump(is_last ? Op::JumpNotEqualK : Op::JumpEqualK, is_last ? next : body, subject, static_cast<std::uint32_t>(index));
    } else {
      const Register label = temporary();
      load_constant(label, *value);
      jump(is_last ? Op::JumpNotEqual : Op::JumpEqual, is_last ? next : body, subject, label);
    }
  }
  place(body);
}

// --- loops

void FunctionCompiler::end_loop(LoopContext& loop) {
  unit(loop.target);
  place(loop.end);
  loops_.pop_back();
}

void FunctionCompiler::break_loop(const Node* value) {
  if (loops_.empty()) return;  // an error of the resolver
  LoopContext& loop = *loops_.back();
  Scope scope(*this);
  if (value != nullptr)
    expression(*value, loop.target == kNone ? temporary() : loop.target);
  else
    unit(loop.target);
  jump(Op::Jump, loop.end);
}

void FunctionCompiler::while_loop(const ast::While& node, Register target) {
  LoopContext loop{{}, {}, target};
  Label done;
  place(loop.again);
  loops_.push_back(&loop);
  jump_if(*node.condition, false, done);
  block(*node.block, kNone);
  again(*loop.again.place);
  place(done);
  end_loop(loop);
}

void FunctionCompiler::do_loop(const ast::DoLoop& node, Register target) {
  LoopContext loop{{}, {}, target};
  Label done;
  const std::size_t top = here();
  loops_.push_back(&loop);
  block(*node.block, kNone);
  place(loop.again);
  jump_if(*node.condition, node.is_until, done);
  again(top);
  place(done);
  end_loop(loop);
}

void FunctionCompiler::endless_loop(const ast::Loop& node, Register target) {
  LoopContext loop{{}, {}, target};
  const std::size_t top = here();
  loops_.push_back(&loop);
  block(*node.block, kNone);
  place(loop.again);
  again(top);
  end_loop(loop);
}

void FunctionCompiler::for_loop(const ast::For& node, Register target) {
  Scope scope(*this);
  LoopContext loop{{}, {}, target};
  Label done;
  const Register state = temporary();
  const Register second = temporary();
  const bool is_range = node.iterable->kind == Kind::Binary && (ast::as<ast::Binary>(*node.iterable).op == BinaryOperator::Range ||
                                                                 ast::as<ast::Binary>(*node.iterable).op == BinaryOperator::RangeInclusive);
  {
    At at(*this, node.iterable->span);
    if (is_range) {
      const auto& range = ast::as<ast::Binary>(*node.iterable);
      expression(*range.left, state);
      expression(*range.right, second);
      jump(Op::ForRange, done, state, range.op == BinaryOperator::RangeInclusive ? 1 : 0);
    } else {
      expression(*node.iterable, state);
      emit(Op::ForPrepare, state);
    }
  }
  const Register count = temporary();
  if (node.counter != nullptr) emit_wide(Op::LoadInt, count, 0);
  // One variable for all rounds: closures made in the loop share it.
  const auto own = [this](ast::Variable& variable) {
    const Register home = temporary();
    unit(home);
    declare(variable, home);
    return variable.is_captured ? temporary() : home;
  };
  const Register element = own(*node.variable);
  const Register counter = node.counter == nullptr ? kNone : own(*node.counter);
  const auto store = [this](const ast::Variable& variable, Register value) {
    if (variable.is_captured) emit(Op::SetCell, static_cast<std::uint32_t>(variable.slot), value);
  };
  loops_.push_back(&loop);
  const std::size_t top = here();
  jump(is_range ? Op::ForRangeNext : Op::ForNext, done, state, element);
  store(*node.variable, element);
  if (node.counter != nullptr) {
    emit(Op::ForCount, counter, count);
    store(*node.counter, counter);
  }
  block(*node.block, kNone);
  place(loop.again);
  again(top);
  place(done);
  end_loop(loop);
}

}  // namespace vsl
