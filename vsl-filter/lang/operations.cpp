// Arithmetic and the operators that make new values. Comparisons are in comparisons.cpp, [ ] and . in access.cpp.
#include "vsl-filter/lang/operations.h"

#include <cmath>

#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/text.h"

namespace vsl {

namespace {

constexpr std::string_view kSymbols[] = {"<<", ">>", "**", "*", "/", "%", "+", "-", "..", "..=", "??", "<", "<=",
                                         ">",  ">=", "in", "!in", "==", "!=", "&&", "&", "||", "|", "^"};
static_assert(std::size(kSymbols) == static_cast<std::size_t>(Operator::BitXor) + 1, "in the order of the operators");

std::unexpected<Failure> arithmetic(std::string_view what, std::int64_t a, std::string_view symbol, std::int64_t b) {
  return fail(ErrorKind::Arithmetic, std::string(what) + ": " + std::to_string(a) + " " + std::string(symbol) + " " + std::to_string(b));
}

std::int64_t shifted_left(std::int64_t a, std::int64_t by);

std::int64_t shifted_right(std::int64_t a, std::int64_t by) {
  if (by < 0) return by == INT64_MIN ? 0 : shifted_left(a, -by);
  return a >> std::min<std::int64_t>(by, 63);
}

std::int64_t shifted_left(std::int64_t a, std::int64_t by) {
  if (by < 0) return by == INT64_MIN ? a >> 63 : shifted_right(a, -by);
  return by >= 64 ? 0 : static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << by);
}

Result power(std::int64_t a, std::int64_t b) {
  if (b < 0) return arithmetic("Integer raised to a negative power", a, "**", b);
  std::int64_t result = 1, factor = a;
  for (std::int64_t left = b; left > 0; left >>= 1) {
    if ((left & 1) != 0 && __builtin_mul_overflow(result, factor, &result)) return arithmetic("Exponential overflow", a, "**", b);
    if (left > 1 && __builtin_mul_overflow(factor, factor, &factor)) return arithmetic("Exponential overflow", a, "**", b);
  }
  return result;
}

// Absent: not an operator of floats.
Value operate_on_floats(Operator op, double a, double b) {
  switch (op) {
    case Operator::Add: return a + b;
    case Operator::Subtract: return a - b;
    case Operator::Multiply: return a * b;
    case Operator::Divide: return a / b;
    case Operator::Modulo: return std::fmod(a, b);
    case Operator::Power: return std::pow(a, b);
    default: return Value::absent();
  }
}

Value operate_on_bools(Operator op, bool a, bool b) {
  switch (op) {
    case Operator::BitAnd: return a && b;
    case Operator::BitOr: return a || b;
    case Operator::BitXor: return a != b;
    default: return Value::absent();
  }
}

// Text minus text: without all occurrences.
Value without(Run& run, std::string_view text, std::string_view part) {
  if (part.empty()) return run.string(text);
  std::string out;
  for (;;) {
    const auto at = text.find(part);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return run.string(out);
    text.remove_prefix(at + part.size());
  }
}

bool is_text(const Value& value) { return value.is_string() || value.is_char(); }

// The text of a value without making one where it is there already.
std::string_view viewed(const Value& value, std::string& room) {
  if (value.is_string()) return value.as_text();
  append_text(room, value);
  return room;
}

Value operate_on_texts(Run& run, Operator op, const Value& a, const Value& b) {
  std::string room_a, room_b;
  if (op == Operator::Add) return run.heap().concatenate(viewed(a, room_a), viewed(b, room_b));
  if (op == Operator::Subtract && is_text(a) && is_text(b)) return without(run, viewed(a, room_a), viewed(b, room_b));
  return Value::absent();
}

Value operate_on_timestamps(Operator op, const Value& a, const Value& b) {
  constexpr double kNanoseconds = 1e9;
  if (op == Operator::Subtract && b.is(Tag::Timestamp)) return static_cast<double>(a.as_timestamp() - b.as_timestamp()) / kNanoseconds;
  const double limit = 9e18;
  if (!b.is_number() || (op != Operator::Add && op != Operator::Subtract)) return Value::absent();
  const double moved = static_cast<double>(a.as_timestamp()) + (op == Operator::Add ? 1 : -1) * b.as_number() * kNanoseconds;
  if (!(std::fabs(moved) < limit)) return Value::absent();
  return Value::timestamp(static_cast<std::int64_t>(moved));
}

Result operate_on_hosts(Run& run, Operator op, const Value& a, const Value& b) {
  for (const bool is_left : {true, false}) {
    const Value& self = is_left ? a : b;
    if (!self.is_host() || self.as_host().host_class->arithmetic == nullptr) continue;
    Result result = self.as_host().host_class->arithmetic(run, symbol_of(op), self, is_left ? b : a, is_left);
    if (!result || !result->is_absent()) return result;
  }
  return Value::absent();
}

Value operate_on_containers(Run& run, Operator op, const Value& a, const Value& b) {
  if (op != Operator::Add || a.tag() != b.tag()) return Value::absent();
  Value sum = a;
  if (a.is_array()) sum.array_for_write(run.heap()).append({b.as_array().begin(), b.as_array().size()});
  if (a.is_blob()) sum.blob_for_write(run.heap()).append(b.as_blob().span());
  if (a.is_map()) {
    Map& map = sum.map_for_write(run.heap());
    for (const auto& [key, value] : b.as_map().entries()) map.set(key, value);
  }
  return sum;
}

bool is_container(const Value& value) { return value.is_array() || value.is_map() || value.is_blob(); }

// Absent: there is no such operator for the two.
Result operate_known(Run& run, Operator op, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return operate_on_ints(op, a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) return operate_on_floats(op, a.as_number(), b.as_number());
  if (a.is_host() || b.is_host()) {
    Result result = operate_on_hosts(run, op, a, b);
    if (!result || !result->is_absent()) return result;
  }
  if (a.is_string() || b.is_string() || (is_text(a) && is_text(b))) return operate_on_texts(run, op, a, b);
  if (a.is_bool() && b.is_bool()) return operate_on_bools(op, a.as_bool(), b.as_bool());
  if (is_container(a)) return operate_on_containers(run, op, a, b);
  if (a.is(Tag::Timestamp)) return operate_on_timestamps(op, a, b);
  return Value::absent();
}

Result ordered(Run& run, Operator op, const Value& a, const Value& b) {
  auto order = compare(run, op, a, b);
  if (!order) return std::unexpected(std::move(order.error()));
  if (!*order) return false;
  switch (op) {
    case Operator::Less: return **order < 0;
    case Operator::LessEqual: return **order <= 0;
    case Operator::Greater: return **order > 0;
    default: return **order >= 0;
  }
}

Result as_value(Expected<bool> answer, bool is_negated) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  return *answer != is_negated;
}

}  // namespace

std::string_view symbol_of(Operator op) { return kSymbols[static_cast<std::size_t>(op)]; }

Result operate_on_ints(Operator op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (op) {
    case Operator::Add:
      if (__builtin_add_overflow(a, b, &result)) return arithmetic("Addition overflow", a, "+", b);
      return result;
    case Operator::Subtract:
      if (__builtin_sub_overflow(a, b, &result)) return arithmetic("Subtraction overflow", a, "-", b);
      return result;
    case Operator::Multiply:
      if (__builtin_mul_overflow(a, b, &result)) return arithmetic("Multiplication overflow", a, "*", b);
      return result;
    case Operator::Divide:
      if (b == 0) return arithmetic("Division by zero", a, "/", b);
      if (a == INT64_MIN && b == -1) return arithmetic("Division overflow", a, "/", b);
      return a / b;
    case Operator::Modulo:
      if (b == 0) return arithmetic("Modulo division by zero", a, "%", b);
      return b == -1 ? 0 : a % b;
    case Operator::Power: return power(a, b);
    case Operator::ShiftLeft: return shifted_left(a, b);
    case Operator::ShiftRight: return shifted_right(a, b);
    case Operator::BitAnd: return a & b;
    case Operator::BitOr: return a | b;
    case Operator::BitXor: return a ^ b;
    default: return Value::absent();
  }
}

Result operate(Run& run, Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::Equal: return as_value(equal(run, a, b), false);
    case Operator::NotEqual: return as_value(equal(run, a, b), true);
    case Operator::In: return as_value(contains(run, b, a), false);
    case Operator::NotIn: return as_value(contains(run, b, a), true);
    case Operator::Less:
    case Operator::LessEqual:
    case Operator::Greater:
    case Operator::GreaterEqual: return ordered(run, op, a, b);
    default: break;
  }
  Result result = operate_known(run, op, a, b);
  if (!result || !result->is_absent()) return result;
  const Value both[] = {a, b};
  return function_not_found(symbol_of(op), both);
}

Expected<void> operate_on(Run& run, Operator op, Value& target, const Value& b) {
  if (op == Operator::Add) {
    if (target.is_string()) {
      std::string room;
      run.heap().append(target, viewed(b, room));
      return {};
    }
    if (target.is_array()) {
      const Value more = b;  // it may be the array itself, or lie in it
      Array& array = target.array_for_write(run.heap());
      if (more.is_array())
        array.append({more.as_array().begin(), more.as_array().size()});
      else
        array.push(more);
      return {};
    }
    if (target.is_map() && b.is_map()) {
      const Value more = b;
      Map& map = target.map_for_write(run.heap());
      for (const auto& [key, value] : more.as_map().entries()) map.set(key, value);
      return {};
    }
    if (target.is_blob() && (b.is_blob() || b.is_int())) {
      const Value more = b;
      const std::uint8_t byte = more.is_int() ? static_cast<std::uint8_t>(more.as_int()) : 0;
      target.blob_for_write(run.heap()).append(more.is_int() ? std::span(&byte, 1) : more.as_blob().span());
      return {};
    }
  }
  Result result = operate(run, op, target, b);
  if (!result) return std::unexpected(std::move(result.error()));
  target = std::move(*result);
  return {};
}

Result negate(Run& run, const Value& value) {
  static_cast<void>(run);
  if (value.is_float()) return -value.as_float();
  if (!value.is_int()) return function_not_found("-", {&value, 1});
  if (value.as_int() == INT64_MIN) return fail(ErrorKind::Arithmetic, "Negation overflow: -" + std::to_string(value.as_int()));
  return -value.as_int();
}

std::unexpected<Failure> function_not_found(std::string_view name, std::span<const Value> arguments) {
  std::string types;
  for (const Value& argument : arguments) (types += types.empty() ? "" : ", ") += type_name(argument);
  Failure failure(ErrorKind::FunctionNotFound, "Function not found: " + std::string(name) + " (" + types + ")");
  failure.in_function(name);
  return std::unexpected(std::move(failure));
}

std::unexpected<Failure> not_a_bool(const Value& value) {
  return fail(ErrorKind::DataType, "Expecting a boolean expression, not a " + std::string(type_name(value)));
}

}  // namespace vsl
