// Conditions, branches, loops.
#include <algorithm>
#include <tuple>

#include "lib/base/utf8.h"
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
  Op again, again_i;          // when, backwards
};
constexpr CompareJump kCompareJumps[] = {
    {BinaryOperator::Less, false, Op::JumpLess, Op::JumpNotLess, Op::JumpLessI, Op::JumpNotLessI, Op::AgainLess, Op::AgainLessI},
    {BinaryOperator::LessEqual, false, Op::JumpLessEqual, Op::JumpNotLessEqual, Op::JumpLessEqualI, Op::JumpNotLessEqualI, Op::AgainLessEqual,
     Op::AgainLessEqualI},
    {BinaryOperator::Greater, true, Op::JumpLess, Op::JumpNotLess, Op::JumpGreaterI, Op::JumpNotGreaterI, Op::AgainLess, Op::AgainGreaterI},
    {BinaryOperator::GreaterEqual, true, Op::JumpLessEqual, Op::JumpNotLessEqual, Op::JumpGreaterEqualI, Op::JumpNotGreaterEqualI,
     Op::AgainLessEqual, Op::AgainGreaterEqualI},
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
    const auto constant = unit_.options_.is_optimized ? constant_of(*node.right) : std::nullopt;
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
  const std::size_t in_table = unit_.options_.is_optimized ? cases_for_table(node) : 0;
  SwitchTable table;
  const std::size_t table_at = here();
  if (in_table > 0) emit(Op::Switch, subject);
  for (const ast::Case& one : node.cases) {
    At at(*this, one.span);
    Label next;
    const auto number = static_cast<std::size_t>(&one - node.cases.data());
    if (number == in_table) table.otherwise = static_cast<std::uint32_t>(here());
    if (!one.labels.empty()) case_labels(one, subject, next);
    if (number < in_table) add_to_table(one, table);
    if (one.guard != nullptr) jump_if(*one.guard, false, next);
    statement(*one.body, target);
    jump(Op::Jump, end);
    place(next);
  }
  if (in_table == node.cases.size()) table.otherwise = static_cast<std::uint32_t>(here());
  if (in_table > 0) finish_table(std::move(table), table_at);
  unit(target);
  place(end);
}

// How many of the first cases a table decides for numbers and texts. Anything else is compared with one label after the other, and is
// where a label may equal what is not its like: 1 and 1.0, values of the host.
std::size_t FunctionCompiler::cases_for_table(const ast::Switch& node) {
  constexpr std::size_t kWorthwhile = 4;  // labels
  std::size_t cases = 0, labels = 0;
  for (const ast::Case& one : node.cases) {
    const auto is_exact = [](const Node* label) {
      return label->kind == Kind::Int || label->kind == Kind::String || label->kind == Kind::Char || label->kind == Kind::Bool || label->kind == Kind::Unit;
    };
    if (one.guard != nullptr || one.labels.empty() || !std::ranges::all_of(one.labels, is_exact)) break;
    labels += one.labels.size();
    ++cases;
  }
  return labels >= kWorthwhile ? cases : 0;
}

// The labels of a case whose body begins here.
void FunctionCompiler::add_to_table(const ast::Case& one, SwitchTable& table) {
  const auto body = static_cast<std::uint32_t>(here());
  for (const Node* label : one.labels) {
    if (label->kind == Kind::Int) table.numbers.push_back({ast::as<ast::Int>(*label).value, body});
    if (label->kind == Kind::String) table.texts.push_back({std::string(ast::as<ast::String>(*label).value), body});
    if (label->kind == Kind::Char) {
      std::string text;
      base::utf8::append(text, ast::as<ast::Char>(*label).value);
      table.texts.push_back({std::move(text), body});
    }
  }
}

// Of equal labels the first one counts, whose body stands first.
void FunctionCompiler::finish_table(SwitchTable table, std::size_t instruction) {
  const auto put_in_order = [](auto& rows) {
    std::ranges::sort(rows, [](const auto& a, const auto& b) { return std::tie(a.label, a.target) < std::tie(b.label, b.target); });
    const auto rest = std::ranges::unique(rows, [](const auto& a, const auto& b) { return a.label == b.label; });
    rows.erase(rest.begin(), rest.end());
  };
  put_in_order(table.numbers);
  put_in_order(table.texts);
  code_.instructions[instruction].two.c = static_cast<std::uint16_t>(add_row(code_.switches, std::move(table)));
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

// Of variables in registers and small numbers: nothing has to be computed before.
bool FunctionCompiler::is_quick_comparison(const Node& condition) const {
  if (!unit_.options_.is_optimized || condition.kind != Kind::Binary) return false;
  const auto& binary = ast::as<ast::Binary>(condition);
  const auto is_register = [this](const Node& node) {
    if (node.kind != Kind::Name) return false;
    const ast::Variable* variable = ast::as<ast::Name>(node).variable;
    return variable != nullptr && home_of(*variable) == Home::Register;
  };
  return std::ranges::find(kCompareJumps, binary.op, &CompareJump::op) != std::end(kCompareJumps) && is_register(*binary.left) &&
         (is_register(*binary.right) || immediate(*binary.right));
}

// Back to `top` if such a comparison holds.
void FunctionCompiler::again_if(const Node& condition, std::size_t top) {
  At at(*this, condition.span);
  const auto& binary = ast::as<ast::Binary>(condition);
  const auto* row = std::ranges::find(kCompareJumps, binary.op, &CompareJump::op);
  const Register left = operand(*binary.left);
  if (const auto number = immediate(*binary.right)) return patch(emit(row->again_i, left, static_cast<std::uint16_t>(*number)), top);
  const Register right = operand(*binary.right);
  patch(emit(row->again, row->swaps ? right : left, row->swaps ? left : right), top);
}

void FunctionCompiler::while_loop(const ast::While& node, Register target) {
  LoopContext loop{{}, {}, target};
  Label done;
  loops_.push_back(&loop);
  if (is_quick_comparison(*node.condition)) {  // is looked at once before the loop, then at the end of each round
    jump_if(*node.condition, false, done);
    const std::size_t top = here();
    block(*node.block, kNone);
    place(loop.again);
    again_if(*node.condition, top);
  } else {
    place(loop.again);
    jump_if(*node.condition, false, done);
    block(*node.block, kNone);
    again(*loop.again.place);
  }
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
  if (!node.is_until && is_quick_comparison(*node.condition)) {
    again_if(*node.condition, top);
  } else {
    jump_if(*node.condition, node.is_until, done);
    again(top);
  }
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
  tell(node.variable->name, element);
  if (node.counter != nullptr) {
    emit(Op::ForCount, counter, count);
    store(*node.counter, counter);
    tell(node.counter->name, counter);
  }
  block(*node.block, kNone);
  place(loop.again);
  if (is_range && unit_.options_.is_optimized)
    patch(emit(Op::ForRangeAgain, state, element), top + 1);
  else
    again(top);
  place(done);
  end_loop(loop);
}

}  // namespace vsl
