// Functions written in C++: rows of tables, found by namespace, name and number of arguments, then by types.
//
//   Result starts_with(Run& run, std::span<Value> a) { return a[0].as_text().starts_with(a[1].as_text()); }
//
//   constexpr NativeRow kStrings[] = {
//       // name         aliases  parameters                    flags  run           doc
//       {"starts_with", "",      {Type::String, Type::String}, kPure, starts_with,  "whether the text begins with another"},
//   };
//
// Both call styles, f(x, a) and x.f(a), reach the same row. A row of a constant: kConstant, no parameters, `m::NAME` without ().
// The rows also feed the checker, --api and the manual.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <deque>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/heap.h"
#include "vsl-filter/lang/value.h"

namespace vsl {

class Run;
struct HostClass;

// What a parameter accepts.
enum class Type : std::uint8_t {
  None,  // no such parameter
  Any, Unit, Bool, Int, Float, Number, Char, String,
  Text,      // string or char
  Array, Blob, Map, Range, Function,
  Callback,  // function pointer, or the name of a function
  Timestamp,
  Host,      // any host object, or those of one class
};
// As documentation and errors write it: "string", "i64", "number", ...
std::string_view type_text(Type type);

struct Parameter {
  Type type = Type::None;
  const HostClass* host_class = nullptr;

  constexpr Parameter() = default;
  constexpr Parameter(Type t) : type(t) {}  // NOLINT: rows read better
  constexpr Parameter(const HostClass& c) : type(Type::Host), host_class(&c) {}  // NOLINT
  [[nodiscard]] bool accepts(const Value& value) const;
};

struct Parameters {
  static constexpr std::size_t kMost = 6;

  Parameter all[kMost];
  std::uint8_t count = 0;

  constexpr Parameters() = default;
  constexpr Parameters(std::initializer_list<Parameter> list) {
    for (const Parameter& parameter : list) all[count++] = parameter;
  }
  [[nodiscard]] constexpr std::span<const Parameter> span() const { return {all, count}; }
};

// What a native function does beside answering.
enum NativeFlags : std::uint16_t {
  kPure = 0,
  kMutates = 1,     // changes its first argument: a[0] goes back into the variable it came from
  kProperty = 2,    // with one parameter: also x.name
  kCalls = 4,       // may call script functions: sort, map, filter
  kConstant = 8,    // without parameters: also a name without ()
  kMustUse = 16,    // the checker warns when the result is thrown away
  kStage = 32,      // first flag that lang gives no meaning: hosts may use it and those above
};

// The arguments are the callee's: it may move out of them. Of a row that kMutates the first one is what the variable holds then.
using Native = Result (*)(Run& run, std::span<Value> arguments);

struct NativeRow {
  std::string_view name;
  std::string_view aliases;  // separated by blanks
  Parameters parameters;
  std::uint16_t flags = kPure;
  Native run = nullptr;
  std::string_view doc;
  std::string_view space = {};   // namespace: "state", "toml::server"; empty: global
  std::uint32_t host_data = 0;   // lang does not look at it: stages, ...

  [[nodiscard]] bool mutates() const { return (flags & kMutates) != 0; }
};

// All rows of one name and number of arguments.
struct Overloads {
  std::string_view name;
  std::string_view space;
  std::size_t arguments = 0;
  std::pmr::vector<const NativeRow*> rows;  // in order of registration
  bool mutates = false;                     // some row does
  bool is_property = false;

  explicit Overloads(std::pmr::memory_resource* memory) : rows(memory) {}

  // The first row that accepts the arguments; null if none does.
  [[nodiscard]] const NativeRow* select(std::span<const Value> arguments) const;
};

// A constant of a compiled-in module: toml::server.domain is property `domain` of the constant `server` in `toml`.
struct NativeConstant {
  std::string space;
  std::string name;
  Value value;  // frozen
};

// All functions that a host offers. Built once, then only read.
class Natives {
 public:
  // The rows must live as long as this. Later rows of the same name and types are reached only when earlier ones do not accept.
  void add(std::span<const NativeRow> rows);
  // The value is to be made in this heap, and is frozen.
  [[nodiscard]] Heap& heap() { return heap_; }
  void add_constant(std::string_view space, std::string_view name, Value value);
  // The same for constants that few programs ask for, all those of `spaces`: `make` adds them, values of that heap, when somebody
  // does, in whatever thread that is.
  using AddConstant = std::function<void(std::string_view space, std::string_view name, Value value)>;
  void add_constants_later(std::span<const std::string_view> spaces, std::function<void(Heap& heap, const AddConstant& add)> make);

  // `name` may be an alias; null if there is none.
  [[nodiscard]] const Overloads* find(std::string_view space, std::string_view name, std::size_t arguments) const;
  [[nodiscard]] const Value* constant(std::string_view space, std::string_view name) const;
  // Whether functions or constants of this namespace, or of one within it, exist.
  [[nodiscard]] bool has_space(std::string_view space) const;
  // For the checker's suggestions and --api.
  [[nodiscard]] std::span<const NativeRow* const> rows() const { return rows_; }
  void each_constant(const std::function<void(const NativeConstant& constant)>& see) const;
  // Each name and alias of a namespace, as often as it has numbers of arguments.
  void each_name(std::string_view space, const std::function<void(std::string_view name, std::size_t arguments)>& see) const;

 private:
  void add(const NativeRow& row, std::string_view name);
  void add_space(std::string_view space);
  // Of these, or the free one where they belong.
  [[nodiscard]] std::size_t place_of(std::string_view space, std::string_view name, std::size_t arguments) const;
  void spread();

  // There are thousands of names, and each start of a program makes the table anew: it takes few pieces of memory.
  std::pmr::monotonic_buffer_resource memory_{std::size_t{1} << 18};
  std::pmr::deque<Overloads> overloads_{&memory_};
  std::vector<std::uint32_t> places_;  // by hash, a power of two of them: 0 or 1 + a position in overloads_
  std::vector<const NativeRow*> rows_;
  std::vector<std::string_view> spaces_;

  Heap heap_;
  std::vector<NativeConstant> constants_;

  struct Later {
    std::vector<std::string_view> spaces;
    std::function<void(Heap& heap, const AddConstant& add)> make;
    std::once_flag is_made;
    Heap heap;
    std::vector<NativeConstant> constants;

    std::span<const NativeConstant> made();
  };
  std::unique_ptr<Later> later_ = std::make_unique<Later>();
};

// The functions of the language itself (specification 1.8).
void add_standard_functions(Natives& natives);
// Whether this is the push() of arrays, which the virtual machine does itself where it can.
[[nodiscard]] bool is_array_push(const NativeRow& row);

}  // namespace vsl
