// What instructions do when it is not the quick case that the loop handles: out of the loop, so that it stays small.
#include "lib/base/utf8.h"
#include "vsl-filter/lang/machine.h"
#include "vsl-filter/lang/operations.h"

namespace vsl {

bool Machine::store(Value& target, Result result) {
  if (!result) return fail_with(std::move(result.error()));
  target = std::move(*result);
  return true;
}

bool Machine::operate_slowly(Operator op, Value& target, const Value& a, const Value& b) { return store(target, operate(run_, op, a, b)); }

bool Machine::operate_with_number(Operator op, Value& target, const Value& a, std::int64_t number, bool is_assignment) {
  if (!is_assignment) return store(target, operate(run_, op, a, number));
  auto done = operate_on(run_, op, target, number);
  return done ? true : fail_with(std::move(done.error()));
}

bool Machine::add_slowly(Value& target, const Value& more) {
  if (target.is_float() && more.is_float()) {
    target.set_float(target.as_float() + more.as_float());
    return true;
  }
  auto done = operate_on(run_, Operator::Add, target, more);
  return done ? true : fail_with(std::move(done.error()));
}

bool Machine::negate_slowly(Value& target, const Value& value) { return store(target, negate(run_, value)); }

bool Machine::decide(Operator op, const Value& a, const Value& b, bool& answer) {
  Result result = operate(run_, op, a, b);
  if (!result) return fail_with(std::move(result.error()));
  answer = result->as_bool();
  return true;
}

bool Machine::decide_number(Operator op, const Value& a, std::int64_t number, bool& answer) { return decide(op, a, number, answer); }

bool Machine::set_field_slowly(Value& object, const Value& name, const Value& from) {
  const Value value = from;  // which may be the object itself
  auto done = set_field(run_, object, name, value);
  return done ? true : fail_with(std::move(done.error()));
}

bool Machine::set_index_slowly(Value& object, const Value& index, const Value& from) {
  const Value value = from;
  auto done = set_index(run_, object, index, value);
  return done ? true : fail_with(std::move(done.error()));
}

const Instruction* Machine::switch_target(const Code& code, const SwitchTable& table, const Value& subject) {
  const Instruction* begin = code.instructions.data();
  if (subject.is_int()) return begin + table.target_of(subject.as_int());
  if (subject.is_string()) return begin + table.target_of(subject.as_text());
  if (!subject.is_char()) return nullptr;
  std::string text;
  base::utf8::append(text, subject.as_char());
  return begin + table.target_of(text);
}

}  // namespace vsl
