// Core: printing, types, time, the end of a script.
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "vsl-filter/lang/bytecode.h"
#include "vsl-filter/lang/json.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"
#include "vsl-filter/lang/text.h"

namespace vsl::standard {

namespace {

std::int64_t monotonic_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Result print(Run& run, Arguments a) {
  if (run.sinks().print) run.sinks().print(text_of(a[0]));
  return Value();
}

Result debug(Run& run, Arguments a) {
  if (run.sinks().debug) run.sinks().debug(debug_of(a[0]), run.where());
  return Value();
}

Result to_string(Run& run, Arguments a) {
  if (a[0].is_string()) return std::move(a[0]);
  return string_result(run, text_of(a[0]));
}

Result to_debug(Run& run, Arguments a) { return string_result(run, debug_of(a[0])); }

Result exit_with(Run&, Arguments a) {
  return std::unexpected(Failure(ErrorKind::Exit, a.empty() ? Value() : std::move(a[0])));
}

Result elapsed(Run&, Arguments a) { return static_cast<double>(monotonic_nanoseconds() - a[0].as_timestamp()) / 1e9; }

// The variable becomes the unit value.
Result take(Run&, Arguments a) { return std::exchange(a[0], Value()); }

Result sleep(Run&, Arguments) { return fail(ErrorKind::Runtime, "'sleep' is disabled: it would hold up everybody else's mail"); }

Result function_name(Run&, Arguments a) { return a[0].as_function().name; }

Result is_anonymous(Run&, Arguments a) {
  const Code* code = a[0].as_function().code;
  return code != nullptr && code->is_closure;
}

// The pointer with further arguments bound in front of those of a call.
Result curry(Run& run, Arguments a) {
  const Function& function = a[0].as_function();
  const auto bound = function.curried_values();
  std::vector<Value> curried(bound.begin(), bound.end());
  curried.insert(curried.end(), std::make_move_iterator(a.begin() + 1), std::make_move_iterator(a.end()));
  return run.heap().function(function.code, function.name, {function.bound(), function.captured}, curried, function.module);
}

Result parse_json(Run& run, Arguments a) {
  auto value = json::read(run.heap(), a[0].as_text());
  if (!value) return fail(value.error().is_too_large ? ErrorKind::DataTooLarge : ErrorKind::Parsing, value.error().message());
  return std::move(*value);
}

constexpr NativeRow kCore[] = {
    // name        aliases parameters              flags      run        doc
    {"print", "", {Type::Any}, kPure, print, "writes the text of a value to the log of the rules"},
    {"debug", "", {Type::Any}, kPure, debug, "writes a value in its debug form, and the place in the script, to the log of the rules"},
    {"type_of", "", {Type::Any}, kPure, [](Run& run, Arguments a) -> Result { return run.string(type_name(a[0])); },
     "name of the value's type: \"i64\", \"string\", \"array\", ..."},
    {"to_string", "", {Type::Any}, kPure, to_string, "the text that print() shows"},
    {"to_debug", "", {Type::Any}, kPure, to_debug, "the text that debug() shows: strings in quotes, unit as ()"},
    {"exit", "", {}, kPure, exit_with, "ends the script, its value is ()"},
    {"exit", "", {Type::Any}, kPure, exit_with, "ends the script with this value"},
    {"sleep", "", {Type::Number}, kPure, sleep, "refused: a script must not wait"},
    {"timestamp", "", {}, kPure, [](Run&, Arguments) -> Result { return Value::timestamp(monotonic_nanoseconds()); },
     "now, on a clock that only goes forward; timestamps can be compared and have seconds added and subtracted"},
    {"elapsed", "", {Type::Timestamp}, kProperty, elapsed, "seconds since the timestamp, as a float"},
    {"take", "", {Type::Any}, kMutates, take, "gives the value away and leaves () in the variable"},
    {"name", "", {Type::Function}, kProperty, function_name, "name of the function that a pointer calls"},
    {"is_anonymous", "", {Type::Function}, kProperty, is_anonymous, "whether the pointer is to a closure"},
    {"curry", "", {Type::Function, Type::Any}, kPure, curry, "the function pointer with its first argument bound"},
    {"curry", "", {Type::Function, Type::Any, Type::Any}, kPure, curry, "the function pointer with its first two arguments bound"},
    {"curry", "", {Type::Function, Type::Any, Type::Any, Type::Any}, kPure, curry,
     "the function pointer with its first three arguments bound"},
    {"parse_json", "", {Type::String}, kPure, parse_json, "the value that a JSON text (RFC 8259) describes; null is ()"},
};

}  // namespace

std::span<const NativeRow> core_rows() { return kCore; }

}  // namespace vsl::standard
