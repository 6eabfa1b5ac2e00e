// The loop of the virtual machine: one label an instruction, jumped to by its number.
//
// A computed goto runs no destructors: no local of the loop may have one where NEXT is reached.
//
// Integers, booleans and what is quick lie here; everything else is a call to operations.h, to another part of the machine, or to a
// native function. Whoever fails puts the failure into failure_ and goes to `failed`.
#include "vsl-filter/lang/machine.h"
#include "vsl-filter/lang/machine_macros.h"
#include "vsl-filter/lang/operations.h"
#include "vsl-filter/lang/text.h"

#pragma GCC diagnostic ignored "-Wpedantic"  // labels as values

namespace vsl {

Result Machine::run(std::size_t entry) {
  static void* const labels[] = {
#define VSL_LABEL(name) &&do_##name,
      VSL_OPERATIONS(VSL_LABEL)
#undef VSL_LABEL
  };
  const Code* code;
  const Value* constants;
  const Instruction* pc;
  const Instruction* i;
  Value* base;
  Operator op;

resume : {
  const Frame& frame = frames_[depth_ - 1];
  code = frame.code;
  constants = code->constants.data();
  pc = frame.pc;
  base = frame.base;
}
  NEXT;

do_Move:
  R(a) = R(b());
  NEXT;
do_Take:
  R(a) = std::move(R(b()));
  NEXT;
do_LoadConstant:
  R(a) = constants[i->offset];
  NEXT;
do_LoadInt:
  R(a).set_int(i->offset);
  NEXT;
do_LoadUnit:
  R(a).set_unit();
  NEXT;
do_LoadBool:
  R(a).set_bool(i->b() != 0);
  NEXT;
do_LoadThis: {
  const Value& self = base[0].is(Tag::Cell) ? base[0].as_cell().value : base[0];
  if (self.is_absent()) {
    fail_with(Failure(ErrorKind::UnboundThis, "'this' is not bound"));
    goto failed;
  }
  R(a) = self;
  NEXT;
}
do_LoadSlot: {
  const Value& slot = run_.program_.slots_[static_cast<std::size_t>(i->offset)];
  if (slot.is_absent()) {
    fail_with(Failure(ErrorKind::VariableNotFound,
                      "Variable not found: " + run_.program_.slot_names_[static_cast<std::size_t>(i->offset)]));
    goto failed;
  }
  R(a) = slot;
  NEXT;
}
do_StoreSlot:
  (*slots_)[static_cast<std::size_t>(i->offset)] = R(a);
  NEXT;
do_MakeCell:
  R(a) = heap_.cell(std::move(R(a)));
  NEXT;
do_GetCell:
  R(a) = R(b()).as_cell().value;
  NEXT;
do_SetCell:
  R(a).as_cell().value = R(b());
  NEXT;

  ARITHMETIC_I(Add, __builtin_add_overflow);
  ARITHMETIC(Subtract, __builtin_sub_overflow, -);
  ARITHMETIC_I(Subtract, __builtin_sub_overflow);
  ARITHMETIC(Multiply, __builtin_mul_overflow, *);

do_Add: {
  const Value &left = R(b()), &right = R(c());
  std::int64_t result;
  if (left.is_int() && right.is_int() && !__builtin_add_overflow(left.as_int(), right.as_int(), &result)) {
    R(a).set_int(result);
    NEXT;
  }
  if (left.is_float() && right.is_float()) {
    R(a).set_float(left.as_float() + right.as_float());
    NEXT;
  }
  op = Operator::Add;
  if (i->a == i->b() && left.is_string() && right.is_string()) {  // s = s + t
    heap_.append(R(a), right.as_text());
    goto check_heap;
  }
  goto operate;
}
do_AddTo: {
  Value& target = R(a);
  const Value& more = R(b());
  std::int64_t result;
  if (target.is_int() && more.is_int() && !__builtin_add_overflow(target.as_int(), more.as_int(), &result)) {
    target.set_int(result);
    NEXT;
  }
  if (!add_slowly(target, more)) goto failed;
  goto check_heap;
}
do_Divide: {
  const Value &left = R(b()), &right = R(c());
  if (left.is_int() && right.is_int() && right.as_int() > 0) {
    R(a).set_int(left.as_int() / right.as_int());
    NEXT;
  }
  op = Operator::Divide;
  goto operate;
}
do_Modulo: {
  const Value &left = R(b()), &right = R(c());
  if (left.is_int() && right.is_int() && right.as_int() > 0) {
    R(a).set_int(left.as_int() % right.as_int());
    NEXT;
  }
  op = Operator::Modulo;
  goto operate;
}
do_Operate:
  op = static_cast<Operator>(i->d);
operate:
  if (!operate_slowly(op, R(a), R(b()), R(c()))) goto failed;
  goto check_heap;
operate_i:
  if (!operate_with_number(op, R(a), R(b()), i->number_c(), i->d != 0)) goto failed;
  goto check_heap;

  COMPARISON(Less, <);
  COMPARISON(LessEqual, <=);
  COMPARISON(Greater, >);
  COMPARISON(GreaterEqual, >=);
  COMPARISON(Equal, ==);
  COMPARISON(NotEqual, !=);
do_In:
  op = Operator::In;
  goto operate;
do_NotIn:
  op = Operator::NotIn;
  goto operate;

do_Negate:
  if (R(b()).is_float()) {
    R(a).set_float(-R(b()).as_float());
    NEXT;
  }
  if (!negate_slowly(R(a), R(b()))) goto failed;
  NEXT;
do_Plus:
  if (!R(b()).is_number()) {
    fail_with(function_not_found("+", {&R(b()), 1}));
    goto failed;
  }
  R(a) = R(b());
  NEXT;
do_Not:
  if (!R(b()).is_bool()) {
    fail_with(not_a_bool(R(b())));
    goto failed;
  }
  R(a).set_bool(!R(b()).as_bool());
  NEXT;
do_CheckBool:
  if (!R(a).is_bool()) {
    fail_with(not_a_bool(R(a)));
    goto failed;
  }
  NEXT;

do_Jump:
  pc += i->offset;
  NEXT;
do_Again:
  pc += i->offset;
  if ((fuel_ += i->offset) < 0 && !refill()) {
    ++pc;  // the place of the failure is the loop
    goto failed;
  }
  NEXT;
  JUMP_ON(JumpIf, value.as_bool());
  JUMP_ON(JumpIfNot, !value.as_bool());
do_JumpIfUnit:
  if (R(a).is_unit()) pc += i->offset;
  NEXT;
do_JumpUnlessUnit:
  if (!R(a).is_unit()) pc += i->offset;
  NEXT;

  JUMP_COMPARE(JumpLess, <, Less, true);
  JUMP_COMPARE(JumpNotLess, <, Less, false);
  JUMP_COMPARE(JumpLessEqual, <=, LessEqual, true);
  JUMP_COMPARE(JumpNotLessEqual, <=, LessEqual, false);
  JUMP_COMPARE(JumpEqual, ==, Equal, true);
  JUMP_COMPARE(JumpNotEqual, ==, Equal, false);
  JUMP_COMPARE_I(JumpLessI, <, Less, true);
  JUMP_COMPARE_I(JumpNotLessI, <, Less, false);
  JUMP_COMPARE_I(JumpLessEqualI, <=, LessEqual, true);
  JUMP_COMPARE_I(JumpNotLessEqualI, <=, LessEqual, false);
  JUMP_COMPARE_I(JumpGreaterI, >, Greater, true);
  JUMP_COMPARE_I(JumpNotGreaterI, >, Greater, false);
  JUMP_COMPARE_I(JumpGreaterEqualI, >=, GreaterEqual, true);
  JUMP_COMPARE_I(JumpNotGreaterEqualI, >=, GreaterEqual, false);
  JUMP_EQUAL_K(JumpEqualK, true);
  JUMP_EQUAL_K(JumpNotEqualK, false);
  AGAIN_COMPARE(AgainLess, <, Less);
  AGAIN_COMPARE(AgainLessEqual, <=, LessEqual);
  AGAIN_COMPARE_I(AgainLessI, <, Less);
  AGAIN_COMPARE_I(AgainLessEqualI, <=, LessEqual);
  AGAIN_COMPARE_I(AgainGreaterI, >, Greater);
  AGAIN_COMPARE_I(AgainGreaterEqualI, >=, GreaterEqual);
do_Switch:
  if (const Instruction* target = switch_target(*code, code->switches[i->c()], R(a))) pc = target;
  NEXT;
do_JumpOutsideRange: {
  const Range& range = constants[i->b()].as_range();
  if (!is_in_case(range, R(a))) pc += i->short_offset();
  NEXT;
}

do_MakeString:
  R(a) = make_string(base + i->b(), i->c());
  goto check_heap;
do_MakeArray:
  R(a) = make_array(base + i->b(), i->c());
  goto check_heap;
do_MakeMap:
  R(a) = make_map(code->shapes[i->c()], base + i->b());
  goto check_heap;
do_MakeRange:
  if (!R(b()).is_int() || !R(c()).is_int()) {
    const Value both[] = {R(b()), R(c())};
    fail_with(function_not_found(i->d != 0 ? "..=" : "..", both));
    goto failed;
  }
  R(a) = heap_.range(R(b()).as_int(), R(c()).as_int(), i->d != 0);
  NEXT;
do_MakeClosure:
  R(a) = make_closure(code->closures[i->c()], base);
  goto check_heap;
do_MakePointer:
  if (!R(b()).is_string()) {
    fail_with(function_not_found("Fn", {&R(b()), 1}));
    goto failed;
  }
  R(a) = heap_.function(nullptr, R(b()), {}, {}, code->module);
  NEXT;

do_GetField: {
  const Value& object = R(b());
  const Field& field = code->fields[i->c()];
  if (object.is_map()) {
    const Value* found = object.as_map().find(field.name);
    if (found != nullptr) {
      R(a) = Value(*found);  // the map may end with what was in R a
      NEXT;
    }
    if (field.native == nullptr) {
      R(a).set_unit();
      NEXT;
    }
  }
  frames_[depth_ - 1].pc = pc;
  if (!store(R(a), get_field(run_, object, field))) goto failed;
  NEXT;
}
do_SetField: {
  Value& object = R(a);
  const Value& name = code->fields[i->c()].name;
  if (object.is_map() && object.object()->count == 1 && i->a != i->b()) {
    if (Value* found = static_cast<Map*>(object.object())->find(name)) {
      *found = R(b());
      NEXT;
    }
  }
  if (i->d != 0 && !object.is_host()) goto constant;
  if (!set_field_slowly(object, name, R(b()))) goto failed;
  goto check_heap;
}
do_GetIndex: {
  const Value &object = R(b()), &index = R(c());
  if (object.is_array() && index.is_int()) {
    const Array& array = object.as_array();
    if (static_cast<std::uint64_t>(index.as_int()) < array.size()) {
      R(a) = array[static_cast<std::size_t>(index.as_int())];
      NEXT;
    }
  }
  if (object.is_map() && index.is_string()) {
    const Value* found = object.as_map().find(index);
    if (found != nullptr)
      R(a) = Value(*found);
    else
      R(a).set_unit();
    NEXT;
  }
  frames_[depth_ - 1].pc = pc;
  if (!store(R(a), get_index(run_, object, index))) goto failed;
  NEXT;
}
do_SetIndex: {
  Value& object = R(a);
  const Value& index = R(b());
  // Quickly if nobody else sees the object, and it does not become part of itself.
  if (object.is_object() && object.object()->count == 1 && i->a != i->c()) {
    if (object.is_array() && index.is_int()) {
      auto& array = *static_cast<Array*>(object.object());
      if (static_cast<std::uint64_t>(index.as_int()) < array.size()) {
        array[static_cast<std::size_t>(index.as_int())] = R(c());
        NEXT;
      }
    } else if (object.is_map() && index.is_string()) {
      if (Value* found = static_cast<Map*>(object.object())->find(index)) {
        *found = R(c());
        NEXT;
      }
    }
  }
  if (i->d != 0 && !object.is_host()) goto constant;
  if (!set_index_slowly(object, index, R(c()))) goto failed;
  goto check_heap;
}
do_SetIndexK: {
  Value& object = R(a);
  const Value& index = R(b());
  if (object.is_array() && index.is_int() && object.object()->count == 1) {
    auto& array = *static_cast<Array*>(object.object());
    if (static_cast<std::uint64_t>(index.as_int()) < array.size()) {
      array[static_cast<std::size_t>(index.as_int())] = constants[i->c()];
      NEXT;
    }
  }
  if (!set_index_slowly(object, index, constants[i->c()])) goto failed;
  goto check_heap;
}
do_AssignPlace:
  frames_[depth_ - 1].pc = pc;
  if (!assign(code->assignments[i->c()], base, R(b()))) goto failed;
  goto check_heap;

do_Call: {
  const Code& callee = *code->calls[i->c()];
  Value* window = &R(a);
  frames_[depth_ - 1].pc = pc;
  if (--fuel_ < 0 && !refill()) goto failed;
  window->set_absent();
  if (depth_ < most_frames_ && window + callee.registers <= segment_end_) [[likely]] {
    frames_[depth_++] = Frame{&callee, callee.instructions.data(), window, window, nullptr, segment_, false, false};
    code = &callee;
    constants = callee.constants.data();
    pc = callee.instructions.data();
    base = window;
    NEXT;
  }
  if (!enter(callee, window, i->b(), nullptr, nullptr, false)) goto failed;
  goto resume;
}
do_CallNative: {
  frames_[depth_ - 1].pc = pc;
  const NativeCall& call = code->natives[i->c()];
  if (call_native(call.native, call.name, &R(a), i->b()) == Outcome::Failed) goto failed;
  goto check_heap;
}
do_CallPush: {
  // Quickly if nobody else sees the array, and it has room.
  const Value& target = base[code->methods[i->c()].receiver.base];
  if (target.is_array() && target.object()->count == 1) {
    auto& array = *static_cast<Array*>(target.object());
    if (array.length < array.capacity) {
      if (--fuel_ < 0 && !refill()) goto failed;
      array.push(std::move(base[i->a + 1]));
      R(a).set_unit();
      NEXT;
    }
  }
}
  // as any other method
do_CallMethod:
  frames_[depth_ - 1].pc = pc;
  switch (call_method(code->methods[i->c()], &R(a), i->b())) {
    case Outcome::Entered: goto resume;
    case Outcome::Done: goto check_heap;
    case Outcome::Failed: goto failed;
  }
  __builtin_unreachable();
do_JumpUnlessReceiver:
  frames_[depth_ - 1].pc = pc;
  switch (has_receiver(code->methods[i->b()], base)) {
    case 0:
      R(a).set_unit();
      pc += i->short_offset();
      break;
    case 1: break;
    default: goto failed;
  }
  NEXT;
do_CallPointer: {
  frames_[depth_ - 1].pc = pc;
  Value* window = &R(a) + 1;
  const Value function = std::move(*window);
  window->set_absent();
  switch (call_pointer(function, window, i->b() - 1u, nullptr, false)) {
    case Outcome::Entered:
      frames_[depth_ - 1].result = &R(a);
      goto resume;
    case Outcome::Done:
      R(a) = std::move(*window);
      goto check_heap;
    case Outcome::Failed: goto failed;
  }
  __builtin_unreachable();
}

do_Return: {
  if (leave(R(a))) return std::move(entry_result_);
  const Frame& frame = frames_[depth_ - 1];
  code = frame.code;
  constants = code->constants.data();
  pc = frame.pc;
  base = frame.base;
  NEXT;
}
do_ReturnUnit : {
  Value unit;
  if (leave(unit)) return std::move(entry_result_);
  goto resume;
}

do_Throw:
  fail_with(Failure(ErrorKind::Thrown, R(a)));
  goto failed;
do_Rethrow:
  rethrow(R(a), base[i->a + 1]);
  goto failed;
do_Raise: {
  const RaisedFailure& raised = code->failures[i->c()];
  fail_with(Failure(raised.kind, raised.message));
  goto failed;
}

do_ForPrepare:
  if (!prepare_loop(&R(a))) goto failed;
  NEXT;
do_ForNext:
  switch (next_element(&R(a), R(b()))) {
    case 0: pc += i->short_offset(); break;
    case 1: break;
    default: goto failed;
  }
  NEXT;
do_ForRange: {
  Value &first = R(a), &last = base[i->a + 1];
  if (!first.is_int() || !last.is_int()) {
    const Value both[] = {first, last};
    fail_with(function_not_found(i->b() != 0 ? "..=" : "..", both));
    goto failed;
  }
  // From here on `last` is the last one itself.
  if (first.as_int() > last.as_int() || (i->b() == 0 && first.as_int() == last.as_int())) {
    pc += i->short_offset();
    NEXT;
  }
  if (i->b() == 0) last.set_int(last.as_int() - 1);
  NEXT;
}
do_ForRangeNext: {
  Value& next = R(a);
  Value& last = base[i->a + 1];
  if (!last.is_int()) {  // the round before was the last
    pc += i->short_offset();
    NEXT;
  }
  R(b()).set_int(next.as_int());
  if (next.as_int() == last.as_int())
    last.set_unit();
  else
    next.set_int(next.as_int() + 1);
  NEXT;
}
do_ForRangeAgain: {
  Value& next = R(a);
  Value& last = base[i->a + 1];
  if (!last.is_int()) NEXT;
  R(b()).set_int(next.as_int());
  if (next.as_int() == last.as_int())
    last.set_unit();
  else
    next.set_int(next.as_int() + 1);
  AGAIN;
  NEXT;
}
do_ForCount: {
  Value& counter = R(b());
  R(a).set_int(counter.as_int());
  counter.set_int(counter.as_int() + 1);
  NEXT;
}

do_Tell:
  frames_[depth_ - 1].pc = pc;
  tell(code->told[i->c()], base, R(a));
  NEXT;

constant:
  fail_with(Failure(ErrorKind::AssignmentToConstant, "Cannot assign to constant"));
  goto failed;
check_heap:
  if (heap_.is_over()) [[unlikely]] {
    fail_with(Failure(ErrorKind::DataTooLarge, std::string(heap_.what_is_over()) + " too large"));
    goto failed;
  }
  NEXT;

failed:
  if (depth_ > entry) frames_[depth_ - 1].pc = pc;
  if (!unwind(entry)) {
    Failure failure = std::move(*failure_);
    failure_.reset();
    return std::unexpected(std::move(failure));
  }
  goto resume;
}

}  // namespace vsl
