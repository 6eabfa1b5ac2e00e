// How evaluation fails: what scripts catch, what the host logs.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/source.h"
#include "vsl-filter/lang/value.h"

namespace vsl {

enum class ErrorKind : std::uint8_t {
  Thrown,  // by `throw`; catch binds the value
  Api,     // by a function of the host; catch binds the text
  // by the language: catch binds a map with the kind's name as `error`
  Arithmetic, ArrayBounds, BitFieldBounds, AssignmentToConstant, DataType, For, FunctionNotFound, IndexNotFound, IndexingType,
  ModuleNotFound, NonPureMethod, Parsing, Property, StringBounds, UnboundThis, VariableNotFound, Runtime,
  // of the budget: cannot be caught
  StackOverflow, TooManyOperations, DataTooLarge, TimeOut,
  Exit,  // exit(v): not an error, ends the script with a value
};

// "ErrorArithmetic" and so on.
std::string_view error_name(ErrorKind kind);
// Whether `catch` sees it.
constexpr bool is_catchable(ErrorKind kind) { return kind < ErrorKind::StackOverflow; }

// One function on the way from the host to the place of the failure, innermost first.
struct CallSite {
  std::string function;  // "" at the top level of a script, "closure" of one
  Span span;             // what was being evaluated in it
};

class Failure {
 public:
  Failure(ErrorKind kind, std::string message) : detail_(std::make_unique<Detail>(kind, std::move(message))) {}
  // throw VALUE, or exit(VALUE).
  Failure(ErrorKind kind, Value value) : Failure(kind, std::string()) { detail_->value = std::move(value); }

  [[nodiscard]] ErrorKind kind() const { return detail_->kind; }
  // As people read it, without place: of an uncaught throw "Runtime error: TEXT".
  [[nodiscard]] const std::string& message() const { return detail_->message; }
  // What was thrown. Good while its Run is.
  [[nodiscard]] const Value& value() const { return detail_->value; }
  // The function that could not be found or that failed; may be empty.
  [[nodiscard]] const std::string& function() const { return detail_->function; }
  // Innermost first. Empty until the failure has left native code.
  [[nodiscard]] const std::vector<CallSite>& stack() const { return detail_->stack; }
  [[nodiscard]] Span span() const { return detail_->stack.empty() ? Span{} : detail_->stack.front().span; }

  // What is wrong beside it, in places of their own: a list that is read whole tells all its bad lines.
  [[nodiscard]] const std::vector<std::string>& further() const { return detail_->further; }
  void add_further(std::string message) { detail_->further.push_back(std::move(message)); }

  Failure& in_function(std::string_view name) { return detail_->function = name, *this; }
  void set_message(std::string text) { detail_->message = std::move(text); }
  void add_call(std::string function, Span span) { detail_->stack.push_back({std::move(function), span}); }
  // Rethrowing begins a new way up.
  void forget_stack() { detail_->stack.clear(); }

 private:
  struct Detail {
    Detail(ErrorKind k, std::string m) : kind(k), message(std::move(m)) {}
    ErrorKind kind;
    std::string message;
    Value value;
    std::string function;
    std::vector<std::string> further;
    std::vector<CallSite> stack;
  };
  std::unique_ptr<Detail> detail_;
};

using Result = std::expected<Value, Failure>;
template <class T>
using Expected = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> fail(ErrorKind kind, std::string message) {
  return std::unexpected(Failure(kind, std::move(message)));
}
// For functions of the host: scripts catch the text itself.
[[nodiscard]] inline std::unexpected<Failure> fail_api(std::string message) { return fail(ErrorKind::Api, std::move(message)); }

// file:line:column: error: MESSAGE, then one line a caller.
std::string render(const Failure& failure, const Sources& sources);

}  // namespace vsl
