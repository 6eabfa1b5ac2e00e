// The instructions of machine_loop.cpp that are alike; for that file only.
#pragma once

// R(x): the register that operand x of the instruction names.
#define R(operand) base[i->operand]

// To the next instruction.
#define NEXT             \
  do {                   \
    i = pc++;            \
    goto* labels[static_cast<std::uint8_t>(i->op)]; \
  } while (false)

// Both integers and no overflow, or both floats; else operate_slowly().
#define ARITHMETIC(name, builtin, symbol)                                          \
  do_##name : {                                                                    \
    const Value &left = R(b()), &right = R(c());                                   \
    std::int64_t result;                                                           \
    if (left.is_int() && right.is_int() && !builtin(left.as_int(), right.as_int(), &result)) { \
      R(a).set_int(result);                                                        \
      NEXT;                                                                        \
    }                                                                              \
    if (left.is_float() && right.is_float()) {                                     \
      R(a).set_float(left.as_float() symbol right.as_float());                     \
      NEXT;                                                                        \
    }                                                                              \
    op = Operator::name;                                                           \
    goto operate;                                                                  \
  }                                                                                \
  static_assert(true)

// The same with a number in the instruction.
#define ARITHMETIC_I(name, builtin)                                                \
  do_##name##I : {                                                                 \
    const Value& left = R(b());                                                    \
    std::int64_t result;                                                           \
    if (left.is_int() && !builtin(left.as_int(), i->number_c(), &result)) {        \
      R(a).set_int(result);                                                        \
      NEXT;                                                                        \
    }                                                                              \
    op = Operator::name;                                                           \
    goto operate_i;                                                                \
  }                                                                                \
  static_assert(true)

// A comparison with a bool as its value.
#define COMPARISON(name, symbol)                              \
  do_##name : {                                               \
    const Value &left = R(b()), &right = R(c());              \
    if (left.is_int() && right.is_int()) {                    \
      R(a).set_bool(left.as_int() symbol right.as_int());     \
      NEXT;                                                   \
    }                                                         \
    op = Operator::name;                                      \
    goto operate;                                             \
  }                                                           \
  static_assert(true)

// Of a bool.
#define JUMP_ON(name, condition)  \
  do_##name : {                   \
    const Value& value = R(a);    \
    if (!value.is_bool()) {       \
      fail_with(not_a_bool(value)); \
      goto failed;                \
    }                             \
    if (condition) pc += i->offset; \
    NEXT;                         \
  }                               \
  static_assert(true)

// `sense`: whether to jump when the comparison holds.
#define JUMP_COMPARE(name, symbol, operation, sense)                                    \
  do_##name : {                                                                         \
    const Value &left = R(a), &right = R(b());                                          \
    if (left.is_int() && right.is_int()) {                                              \
      if ((left.as_int() symbol right.as_int()) == sense) pc += i->short_offset();      \
      NEXT;                                                                             \
    }                                                                                   \
    bool answer;                                                                        \
    if (!decide(Operator::operation, left, right, answer)) goto failed;                 \
    if (answer == sense) pc += i->short_offset();                                       \
    NEXT;                                                                               \
  }                                                                                     \
  static_assert(true)
#define JUMP_COMPARE_I(name, symbol, operation, sense)                                  \
  do_##name : {                                                                         \
    const Value& left = R(a);                                                           \
    if (left.is_int()) {                                                                \
      if ((left.as_int() symbol i->number_b()) == sense) pc += i->short_offset();       \
      NEXT;                                                                             \
    }                                                                                   \
    bool answer;                                                                        \
    if (!decide_number(Operator::operation, left, i->number_b(), answer)) goto failed;  \
    if (answer == sense) pc += i->short_offset();                                       \
    NEXT;                                                                               \
  }                                                                                     \
  static_assert(true)

// The way back of a loop, while the comparison holds: counts operations as Again does.
#define AGAIN                                            \
  do {                                                   \
    pc += i->short_offset();                             \
    if ((fuel_ += i->short_offset()) < 0 && !refill()) { \
      ++pc; /* the place of the failure is the loop */   \
      goto failed;                                       \
    }                                                    \
  } while (false)
#define AGAIN_COMPARE(name, symbol, operation)                               \
  do_##name : {                                                              \
    const Value &left = R(a), &right = R(b());                               \
    bool answer;                                                             \
    if (left.is_int() && right.is_int())                                     \
      answer = left.as_int() symbol right.as_int();                          \
    else if (!decide(Operator::operation, left, right, answer))              \
      goto failed;                                                           \
    if (answer) AGAIN;                                                       \
    NEXT;                                                                    \
  }                                                                          \
  static_assert(true)
#define AGAIN_COMPARE_I(name, symbol, operation)                             \
  do_##name : {                                                              \
    const Value& left = R(a);                                                \
    bool answer;                                                             \
    if (left.is_int())                                                       \
      answer = left.as_int() symbol i->number_b();                           \
    else if (!decide_number(Operator::operation, left, i->number_b(), answer)) \
      goto failed;                                                           \
    if (answer) AGAIN;                                                       \
    NEXT;                                                                    \
  }                                                                          \
  static_assert(true)

// With a constant: labels of switch, mostly.
#define JUMP_EQUAL_K(name, sense)                                       \
  do_##name : {                                                         \
    const Value &left = R(a), &right = constants[i->b()];               \
    bool is_equal;                                                      \
    if (left.tag() == right.tag() && left.tag() <= Tag::Short && !left.is_float()) { \
      is_equal = left.is(Tag::Short) ? left.is_same(right) : left.words()[1] == right.words()[1]; \
    } else if (!decide(Operator::Equal, left, right, is_equal)) {       \
      goto failed;                                                      \
    }                                                                   \
    if (is_equal == sense) pc += i->short_offset();                     \
    NEXT;                                                               \
  }                                                                     \
  static_assert(true)
