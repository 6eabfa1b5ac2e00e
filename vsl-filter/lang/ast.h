// The syntax tree of one script: plain nodes in an arena, told apart by `kind` and freed as a whole.
//
// The parser fills all but the fields marked "resolved"; resolve() (resolve.h) binds names to variables, functions and imports and
// finds what closures capture. A tree with errors may hold Error nodes and must not be compiled.
// Texts are views into the source or the arena: both must outlive the tree's readers.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "vsl-filter/lang/dialect.h"
#include "vsl-filter/lang/source.h"

namespace vsl::ast {

enum class Kind : std::uint8_t {
  Error,  // stands where the parser gave up
  // literals
  Unit, Bool, Int, Float, Char, String, Template, Array, Map,
  // names
  Name, Path, This,
  // operators and access
  Unary, Binary, Index, Property, Call, MethodCall, Closure,
  // both statement and expression
  Block, If, Switch, While, DoLoop, Loop, For,
  // statements
  Let, Assign, Break, Continue, Return, Throw, Try, Import, Export,
  // of the host's dialect
  Directive, Declaration,
};

// `height` counts the nodes from here down to the deepest leaf; the parser limits it, so that walking a tree recursively is safe.
struct Node {
  Kind kind;
  std::uint16_t height = 1;
  Span span;
};

template <class T>
using List = std::span<T>;  // in the arena
using Nodes = List<Node*>;

struct Block;
struct Body;
struct Closure;
struct Function;
struct Import;

// One declared name: let, const, parameter, loop or catch variable, host declaration.
struct Variable {
  std::string_view name;
  Span span;  // of the name where it is declared
  bool is_constant = false;
  bool is_parameter = false;
  bool is_top_level = false;  // declared directly at the top level of the file
  // resolved:
  bool is_captured = false;   // some closure captures it: it lives in a shared cell
  bool is_assigned = false;   // assigned, or changed through [ ] or . , after its declaration
  bool is_used = false;
  bool is_global_used = false;  // a constant that some function reads as global::NAME
  const Body* owner = nullptr;  // the function, closure or script whose frame it belongs to
  // For the compiler.
  std::int32_t slot = -1;
};

// What runs in a frame of its own: a function, a closure, or the top level of a script.
struct Body {
  List<Variable*> parameters;
  Node* code = nullptr;  // of a function and a script a Block; of a closure any statement
  // resolved:
  List<Variable*> captures;  // variables of outer bodies that it or a closure in it names, in order of first use
  Body* outer = nullptr;     // of a closure: where it is made
  bool uses_this = false;
};

struct Function {
  Span span;
  Span name_span;
  std::string_view name;
  std::string_view doc;  // the doc comments before it, as written
  bool is_private = false;
  Body body;
  std::int32_t slot = -1;  // for the compiler
};

// --- literals

struct Bool : Node { bool value; };
struct Int : Node { std::int64_t value; };
struct Float : Node { double value; };
struct Char : Node { char32_t value; };
struct String : Node { std::string_view value; };       // without quotes, escapes resolved
struct Template : Node { Nodes parts; };                // String and Block, in order
struct Array : Node { Nodes elements; };
struct MapEntry { std::string_view key; Span key_span; Node* value; };
struct Map : Node { List<MapEntry> entries; };          // in order of writing

// --- names

struct Segment { std::string_view name; Span span; };
// One identifier. Without a variable it may be a constant of the host.
struct Name : Node {
  std::string_view name;
  Variable* variable;  // resolved
};
// a::b::c as a value; at least two segments.
struct Path : Node {
  List<Segment> segments;
  Import* import;      // resolved: what the first segment names, if that is an import in scope
  Variable* variable;  // resolved: of global::NAME the constant
};
struct This : Node {};

// --- operators and access

enum class UnaryOperator : std::uint8_t { Minus, Plus, Not };
struct Unary : Node { UnaryOperator op; Node* operand; };

enum class BinaryOperator : std::uint8_t {
  ShiftLeft, ShiftRight, Power, Multiply, Divide, Modulo, Add, Subtract,
  Range, RangeInclusive, Coalesce, Less, LessEqual, Greater, GreaterEqual, In, NotIn, Equal, NotEqual,
  And, BitAnd, Or, BitOr, BitXor,  // And, Or and Coalesce evaluate the right side only where it decides
};
struct Binary : Node { BinaryOperator op; Span op_span; Node* left; Node* right; };

struct Index : Node { Node* object; Node* index; bool is_optional; };                                     // a[i], a?[i]
struct Property : Node { Node* object; std::string_view name; Span name_span; bool is_optional; };          // a.b, a?.b
struct Call : Node {
  List<Segment> callee;   // one segment: f(...); more: a::f(...)
  Nodes arguments;
  bool in_callers_scope;  // f!(...)
  Function* function;     // resolved: the function of this file with this name and number of parameters, if there is one
  Import* import;         // resolved: what the first of several segments names, if that is an import in scope
};
struct MethodCall : Node {
  Node* object;
  std::string_view name;
  Span name_span;
  Nodes arguments;
  bool is_optional;       // a?.f(...)
  bool in_callers_scope;
};
struct Closure : Node { Body body; };

// --- control

// Its value is that of its last statement. Empty statements are not kept.
struct Block : Node { Nodes statements; };
struct Branch { Node* condition; Block* block; };
// if, else if, else if, ..., else: one node, so that a long chain is not a deep tree.
struct If : Node { List<Branch> branches; Block* otherwise; };  // otherwise may be null
// Labels: Unit, Bool, Int, Float, Char, String, Array and Map of such, and Binary Range or RangeInclusive of two Int.
struct Case {
  Span span;
  Nodes labels;  // none: the case `_`
  Node* guard;   // may be null
  Node* body;    // an expression, Block, Break, Return or Throw
};
struct Switch : Node { Node* subject; List<Case> cases; };
struct While : Node { Node* condition; Block* block; };
struct DoLoop : Node { Block* block; Node* condition; bool is_until; };
struct Loop : Node { Block* block; };
struct For : Node {
  Variable* variable;
  Variable* counter;  // may be null
  Node* iterable;
  Block* block;
};

// --- statements

struct Let : Node { Variable* variable; Node* value; };  // value null: unit
// A plain `=` has no operator. Targets: Name, This, and Property and Index on these.
struct Assign : Node {
  Node* target;
  Node* value;
  Span op_span;
  bool is_compound;
  BinaryOperator op;  // of a compound one: += is Add
};
struct Break : Node { Node* value; };   // may be null
struct Continue : Node {};
struct Return : Node { Node* value; };  // may be null
struct Throw : Node { Node* value; };   // null: unit, or in a catch block what was caught
struct Try : Node {
  Block* block;
  Variable* error;  // may be null
  Block* handler;
};
struct Import : Node {
  Node* path;              // a String, else the script has an error
  std::string_view alias;  // empty: nothing is taken
  Span alias_span;
  bool is_top_level;
  // For module loading: index of the module in the program.
  std::int32_t module = -1;
};
struct ExportItem {
  std::string_view name;  // of the variable
  std::string_view as;    // the name for importers
  Span span;
  Variable* variable;     // resolved
};
// export let a = 1;   or   export a, b as c;
struct Export : Node { Let* declaration; List<ExportItem> items; };  // declaration null: the items

// --- the host's dialect (dialect.h)

struct Directive : Node {
  const DirectiveKeyword* keyword;
  Node* subject;     // null where the keyword has none
  String* name;
  Node* body;        // Closure or Map
};
// Both a declaration in the enclosing block and an expression.
struct Declaration : Node {
  const DeclarationKeyword* keyword;
  Variable* variable;
  std::string_view prefix;  // "file" of file:fqdn, else empty
  std::string_view type;
  Span type_span;           // with the prefix
  Node* value;
};

// --- the whole

struct Script {
  const Source* source = nullptr;
  Body body;                    // code is a Block with the statements of the top level
  List<Function*> functions;    // in order of writing
  List<Import*> imports;        // all, also those inside blocks, in order of writing
  std::string_view doc;         // the //! comments
  List<ExportItem> exports;     // resolved: exported variables and declarations; functions that are not private and top-level
                                // imports are exported besides
};

// Owner of a script's nodes.
class Tree {
 public:
  explicit Tree(std::size_t expected_octets = 16 * 1024) : memory_(expected_octets) {}
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // Nodes are trivially destructible; nothing is ever destroyed singly.
  template <class T, class... Arguments>
  T* make(Arguments&&... arguments) {
    static_assert(std::is_trivially_destructible_v<T>);
    return ::new (memory_.allocate(sizeof(T), alignof(T))) T{std::forward<Arguments>(arguments)...};
  }
  template <class T>
  List<T> list(std::span<const T> elements) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (elements.empty()) return {};
    T* place = static_cast<T*>(memory_.allocate(elements.size_bytes(), alignof(T)));
    std::uninitialized_copy(elements.begin(), elements.end(), place);
    return {place, elements.size()};
  }
  template <class T>
  List<T> list(const std::vector<T>& elements) { return list(std::span<const T>(elements)); }
  std::string_view text(std::string_view octets) {
    const auto copy = list(std::span<const char>(octets));
    return {copy.data(), copy.size()};
  }

  Script script;

 private:
  std::pmr::monotonic_buffer_resource memory_;
};

// The node as what its kind says it is. The caller has looked at `kind`.
template <class T>
T& as(Node& node) { return static_cast<T&>(node); }
template <class T>
const T& as(const Node& node) { return static_cast<const T&>(node); }

}  // namespace vsl::ast
