// What the compiler makes of a script and the virtual machine runs: instructions of 8 octets on registers.
//
// A frame has register 0 for `this` (the result of a call comes back there, seen from the caller), then the parameters, then what a
// closure captured (cells), then variables and temporaries. A call's arguments lie where the callee's parameters are: nothing is
// copied. Registers that hold a captured variable hold its Cell.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/native.h"
#include "vsl-filter/lang/source.h"
#include "vsl-filter/lang/value.h"

namespace vsl {

//      name           operands: R a register, K a constant of the code, I a signed 16-bit number, -> a jump
#define VSL_OPERATIONS(X)                                                                            \
  /* moving */                                                                                       \
  X(Move)            /* R a = copy of R b */                                                         \
  X(Take)            /* R a = R b, which is a temporary */                                           \
  X(LoadConstant)    /* R a = K offset */                                                            \
  X(LoadInt)         /* R a = the number offset */                                                   \
  X(LoadUnit)        /* R a = () */                                                                  \
  X(LoadBool)        /* R a = b != 0 */                                                              \
  X(LoadThis)        /* R a = this, if it is bound */                                                \
  X(LoadSlot)        /* R a = slot offset of the program; fails while it is absent */                \
  X(StoreSlot)       /* slot offset = R a */                                                         \
  X(MakeCell)        /* R a = a new cell with what R a held */                                       \
  X(GetCell)         /* R a = what is in the cell R b */                                             \
  X(SetCell)         /* into the cell R a: R b */                                                    \
  /* operators: R a = R b op R c; the I forms: R a = R b op I c */                                   \
  X(Add) X(AddI) X(Subtract) X(SubtractI) X(Multiply) X(Divide) X(Modulo)                            \
  X(AddTo)           /* R a += R b */                                                                \
  X(Operate)         /* R a = R b op R c, op: BinaryOperator d */                                    \
  X(Less) X(LessEqual) X(Greater) X(GreaterEqual) X(Equal) X(NotEqual)                               \
  X(In) X(NotIn)                                                                                     \
  X(Negate) X(Plus) X(Not) /* R a = op R b */                                                        \
  X(CheckBool)       /* R a must be a bool */                                                        \
  /* jumps: offset from the next instruction; of two operands the offset is d and c */               \
  X(Jump)            /* -> offset */                                                                 \
  X(Again)           /* -> offset, backwards: counts operations */                                   \
  X(JumpIf) X(JumpIfNot)            /* bool R a -> offset */                                         \
  X(JumpIfUnit) X(JumpUnlessUnit)   /* R a -> offset */                                              \
  X(JumpLess) X(JumpNotLess) X(JumpLessEqual) X(JumpNotLessEqual)     /* R a, R b -> */              \
  X(JumpEqual) X(JumpNotEqual)                                        /* R a, R b -> */              \
  X(JumpLessI) X(JumpNotLessI) X(JumpLessEqualI) X(JumpNotLessEqualI) /* R a, I b -> */              \
  X(JumpGreaterI) X(JumpNotGreaterI) X(JumpGreaterEqualI) X(JumpNotGreaterEqualI)                    \
  X(JumpEqualK) X(JumpNotEqualK)                                      /* R a, K b -> */              \
  /* jumps backwards, which count operations */                                                      \
  X(AgainLess) X(AgainLessEqual)                                      /* R a, R b -> */              \
  X(AgainLessI) X(AgainLessEqualI) X(AgainGreaterI) X(AgainGreaterEqualI) /* R a, I b -> */          \
  X(Switch)          /* where table c has the number or text R a; another type: goes on */           \
  X(JumpOutsideRange) /* R a is not in the range K b -> */                                           \
  /* making */                                                                                       \
  X(MakeString)      /* R a = texts of R b .. b+c-1 in a row */                                      \
  X(MakeArray)       /* R a = [R b .. b+c-1], taken */                                               \
  X(MakeMap)         /* R a = map with the keys of shape c, values R b .. taken */                   \
  X(MakeRange)       /* R a = R b .. R c; d: inclusive */                                            \
  X(MakeClosure)     /* R a = closure of code c, captures by its table */                            \
  X(MakePointer)     /* R a = Fn(R b) */                                                             \
  /* access */                                                                                       \
  X(GetField)        /* R a = R b . field c */                                                       \
  X(SetField)        /* R a . field c = R b; d: R a is a copy of a constant */                       \
  X(GetIndex)        /* R a = R b [ R c ] */                                                         \
  X(SetIndex)        /* R a [ R b ] = R c; d as above */                                             \
  X(SetIndexK)       /* R a [ R b ] = K c */                                                         \
  X(AssignPlace)     /* assignment c: place op= R b */                                               \
  /* calls: window at R a: this or the receiver, then b arguments; the result goes to R a */         \
  X(Call)            /* code c */                                                                    \
  X(CallNative)      /* overloads c; arguments from R a+1 */                                         \
  X(CallMethod)      /* method c */                                                                  \
  X(CallPush)        /* the same, of a variable that is probably an array: x.push(v) */              \
  X(JumpUnlessReceiver) /* R a = () -> if the ?. of method b yields () */                            \
  X(CallPointer)     /* call(f, ...): R a+1 is the function, its arguments from R a+2 */             \
  X(Return)          /* R a, taken */                                                                \
  X(ReturnUnit)                                                                                      \
  X(Throw)           /* R a */                                                                       \
  X(Rethrow)         /* what R a and its kind in R a+1 say */                                        \
  X(Raise)           /* failure c of the code's table */                                             \
  /* loops */                                                                                        \
  X(ForPrepare)      /* R a is the iterable; R a+1 the position */                                   \
  X(ForNext)         /* R b = next element of R a, or -> */                                          \
  X(ForRange)        /* R a, R a+1: first and end of a range (b: inclusive), both i64; empty -> */   \
  X(ForRangeNext)    /* R b = R a and one further; behind the last -> */                             \
  X(ForRangeAgain)   /* R b = R a and one further -> backwards; behind the last: goes on */          \
  X(ForCount)        /* R a = int R b, then R b + 1 */                                               \
  /* only in code that is compiled for it */                                                         \
  X(Tell)            /* place c of the table has a new value, which R a holds */

enum class Op : std::uint8_t {
#define VSL_NAME(name) name,
  VSL_OPERATIONS(VSL_NAME)
#undef VSL_NAME
};

struct Instruction {
  struct Two {
    std::uint16_t b, c;
  };

  Op op;
  std::uint8_t d;
  std::uint16_t a;
  union {
    Two two;
    std::int32_t offset;
  };

  [[nodiscard]] std::uint16_t b() const { return two.b; }
  [[nodiscard]] std::uint16_t c() const { return two.c; }
  [[nodiscard]] std::int16_t number_b() const { return static_cast<std::int16_t>(two.b); }
  [[nodiscard]] std::int16_t number_c() const { return static_cast<std::int16_t>(two.c); }
  // Of jumps that compare: 24 bits.
  [[nodiscard]] std::int32_t short_offset() const { return static_cast<std::int16_t>(two.c) * 256 + d; }
};
static_assert(sizeof(Instruction) == 8);

struct Code;
struct ModuleCode;

// One step of the way from a variable to a part of it.
struct Step {
  bool is_index;
  bool is_optional;      // ?. and ?[: unit ends the way, and nothing happens
  std::uint16_t index;   // the register of an index
  Value key;             // the name of a property
};

// What can be assigned to or changed in place.
struct Place {
  enum class Root : std::uint8_t {
    Temporary,  // the value is in the window already: changes are lost
    Register,
    Cell,       // register of a captured variable
    This,
  };
  Root root = Root::Temporary;
  bool is_constant = false;
  std::uint16_t base = 0;
  std::vector<Step> steps;
};

struct Assignment {
  Place place;
  bool is_compound = false;
  std::uint8_t op = 0;  // ast::BinaryOperator
};

// An assignment to tell of. Where `place` has steps, the new value is read from there if `is_read`; else a register holds it.
struct ToldPlace {
  std::string name;  // of the variable, or the text of what is assigned to
  Place place;
  bool is_read = false;
};

struct Method {
  Value name;                      // a string
  bool is_call = false;            // written f(x, ...): neither properties nor `this` matter
  const Code* script = nullptr;    // the script's function with as many parameters
  const Overloads* native = nullptr;
  Place receiver;
  bool is_optional = false;        // a?.f(): unit if a is unit
  // The receiver's place although its value lies in the window, for functions that a map brings under the name of a native one that
  // changes nothing. Temporary: it is none.
  Place part = {};
};

// Labels of a switch that are integers or texts (a char is the text of it), each list in order. The target is an instruction.
struct SwitchTable {
  struct Number {
    std::int64_t label;
    std::uint32_t target;
  };
  struct Text {
    std::string label;
    std::uint32_t target;
  };
  std::vector<Number> numbers;
  std::vector<Text> texts;
  std::uint32_t otherwise = 0;

  [[nodiscard]] std::uint32_t target_of(std::int64_t number) const;
  [[nodiscard]] std::uint32_t target_of(std::string_view text) const;
};

struct Field {
  Value name;
  const Overloads* native = nullptr;  // functions that are properties
};

struct NativeCall {
  std::string_view name;
  const Overloads* native;
};

// Where the value of a captured variable comes from when a closure is made: a register that holds its cell.
struct ClosureShape {
  const Code* code;
  std::vector<std::uint16_t> captures;
};

struct RaisedFailure {
  ErrorKind kind;
  std::string message;
};

// try: instructions [begin, end) are guarded; the caught value goes to R caught, its kind to R caught+1.
struct Handler {
  std::uint32_t begin, end, target;
  std::uint16_t caught;
};

struct Code {
  std::string name;  // "" of a top level, "closure"
  const ModuleCode* module = nullptr;
  SourceId source = 0;
  std::uint16_t parameters = 0;
  std::uint16_t captures = 0;
  std::uint16_t registers = 1;
  bool is_private = false;
  bool is_closure = false;

  std::vector<Instruction> instructions;
  struct Place32 {
    std::uint32_t begin, end;
  };
  std::vector<Place32> spans;  // of each instruction
  std::vector<Value> constants;
  std::vector<Handler> handlers;  // inner ones first
  std::vector<const Code*> calls;
  std::vector<NativeCall> natives;
  std::vector<Method> methods;
  std::vector<Field> fields;
  std::vector<Assignment> assignments;
  std::vector<ClosureShape> closures;
  std::vector<std::vector<Value>> shapes;  // keys of map literals
  std::vector<RaisedFailure> failures;
  std::vector<ToldPlace> told;
  std::vector<SwitchTable> switches;

  [[nodiscard]] Span span_of(std::size_t instruction) const {
    return {source, spans[instruction].begin, spans[instruction].end};
  }
};

// One file.
struct ModuleCode {
  struct Export {
    std::string name;
    std::uint32_t slot;
  };
  struct Import {
    std::string alias;
    const ModuleCode* module;
  };

  SourceId source = 0;
  std::unique_ptr<Code> top_level;
  std::vector<std::unique_ptr<Code>> functions;  // those with names
  std::vector<std::unique_ptr<Code>> closures;
  std::vector<Export> exports;
  std::vector<Import> imports;  // of the top level: importers see them as sub-modules
  std::deque<std::string> names;  // texts that code points to

  [[nodiscard]] const Code* find(std::string_view name, std::size_t parameters) const;
  [[nodiscard]] const Export* find_export(std::string_view name) const;
  [[nodiscard]] const ModuleCode* find_import(std::string_view alias) const;
};

// One instruction a line: for tests and for people.
std::string disassemble(const Code& code);

}  // namespace vsl
