// The virtual machine behind a Run: registers, frames, budget.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/bytecode.h"
#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/program.h"
#include "vsl-filter/lang/run.h"

namespace vsl {

class Machine {
 public:
  // `slots`: where constants of top levels are stored; null unless loading.
  Machine(Run& run, std::vector<Value>* slots);
  ~Machine();

  // Runs code from C++: `self` becomes `this` and comes back.
  Result call(const Code& code, Value& self, std::span<const Value> arguments, const Function* function = nullptr);
  // A function pointer or the name of a function.
  Result call(const Value& callback, Value& self, std::span<const Value> arguments);
  [[nodiscard]] int parameters_of(const Value& callback) const;

  void begin_budget();
  bool charge(std::uint64_t operations);
  void pause_clock();
  void resume_clock();
  [[nodiscard]] Span where() const;
  // The module whose code runs; of the main script when none does.
  [[nodiscard]] const ModuleCode& module() const;

 private:
  // Registers lie in segments that never move: natives keep spans of them while they call back.
  struct Segment {
    std::unique_ptr<Value[]> values;
    std::size_t size;
  };
  struct Frame {
    const Code* code;
    const Instruction* pc;   // of a caller: behind its call
    Value* base;
    Value* result;           // in the caller's window; also where `this` comes back through `receiver`
    const Place* receiver;   // what `this` is written back to when the frame ends; null: nothing
    std::uint32_t segment;   // to go back to when it ends
    bool is_entry;           // called from C++
    bool has_constant_this;
  };

  Result run(std::size_t entry);
  // Puts a frame on the stack whose window (this, arguments) begins at `window`; false: failure_ says why.
  bool enter(const Code& code, Value* window, std::size_t arguments, const Function* function, const Place* receiver, bool is_constant);
  Value* next_segment(std::size_t registers);
  // Puts what the function has bound before and behind the arguments.
  void bind(const Code& code, Value* window, std::size_t arguments, const Function& function);
  // Ends the frame on top with this result: gives `this` back, releases the registers. True: C++ called it, and the result is in
  // entry_result_.
  bool leave(Value& result);
  void give_back(const Frame& frame);
  [[nodiscard]] Value* top() const;

  // Calls that are not to a known script function. Called: a frame has been entered; Done: the result is at window[0].
  enum class Outcome { Failed, Done, Entered };
  Outcome call_native(const Overloads* native, std::string_view name, Value* window, std::size_t arguments);
  Outcome call_method(const Method& method, Value* window, std::size_t arguments);
  Outcome call_pointer(const Value& function, Value* window, std::size_t arguments, const Place* receiver, bool is_constant);
  Outcome run_native(const NativeRow& row, Value* window, std::size_t skip, std::size_t arguments);
  Outcome call_native_on(const Method& method, Value& variable, Value* window, std::size_t arguments);
  Outcome change_by_native(const Method& method, const NativeRow& row, Value* window, std::size_t arguments);
  Outcome finish_native(const NativeRow& row, Result result, Value* window, std::size_t arguments);
  Outcome call_script_method(const Method& method, const Code* code, const Value* function, Value* window, std::size_t arguments);
  Outcome not_found(std::string_view name, std::span<const Value> arguments);
  // The function of this name that the running module sees.
  struct Named {
    const Code* script = nullptr;
    const Overloads* native = nullptr;
  };
  [[nodiscard]] Named find_named(std::string_view name, std::size_t arguments, const ModuleCode& module) const;

  // Places: `base` is that of the frame whose registers the place names.
  Value* root_of(const Place& place, Value* base);
  Result read_place(const Place& place, Value* base, bool& is_skipped);
  bool assign(const Assignment& assignment, Value* base, const Value& from);
  void write_place(const Place& place, Value* base, Value value);
  using Change = std::function<Expected<void>(Value& target)>;
  Expected<void> change(Value& target, std::span<const Step> steps, const Value* base, const Change& apply);
  Expected<void> change_place(const Place& place, Value* base, const Change& apply);
  // 1: `method` has its receiver, 0: a ?. of it yields (), -1: failure_.
  int has_receiver(const Method& method, Value* base);
  // Where a switch goes; null: the subject is neither a number nor a text.
  [[nodiscard]] static const Instruction* switch_target(const Code& code, const SwitchTable& table, const Value& subject);
  // What the loop does not do itself: false: failure_.
  bool operate_slowly(ast::BinaryOperator op, Value& target, const Value& a, const Value& b);
  bool operate_with_number(ast::BinaryOperator op, Value& target, const Value& a, std::int64_t number, bool is_assignment);
  bool add_slowly(Value& target, const Value& more);
  bool negate_slowly(Value& target, const Value& value);
  bool decide(ast::BinaryOperator op, const Value& a, const Value& b, bool& answer);
  bool decide_number(ast::BinaryOperator op, const Value& a, std::int64_t number, bool& answer);
  bool set_field_slowly(Value& object, const Value& name, const Value& from);
  bool set_index_slowly(Value& object, const Value& index, const Value& from);
  bool store(Value& target, Result result);

  // telling.cpp
  void tell(const ToldPlace& told, Value* base, const Value& home);

  bool check_constant_this(const Place& place, std::string_view method);

  // Finds the handler for failure_ in frames of this entry; false: the entry frame is gone, failure_ stays.
  bool unwind(std::size_t entry);
  Value caught_value(std::int64_t& kind);
  bool rethrow(const Value& value, const Value& kind);
  bool refill();  // more fuel, if the budget has it
  bool fail_with(Failure failure);
  bool fail_with(std::unexpected<Failure> failure) { return fail_with(std::move(failure.error())); }

  bool prepare_loop(Value* state);
  // 1: an element is in `element`, 0: no more, -1: failure_.
  int next_element(Value* state, Value& element);
  [[nodiscard]] static bool is_in_case(const Range& range, const Value& value);
  Value make_closure(const ClosureShape& shape, const Value* base);
  Value make_string(const Value* parts, std::size_t count);
  Value make_array(Value* elements, std::size_t count);
  Value make_map(const std::vector<Value>& keys, Value* values);
  Value thawed(const Value& cell);

  Run& run_;
  Heap& heap_;
  std::vector<Value>* slots_;
  std::vector<Segment> segments_;
  std::uint32_t segment_ = 0;
  Value* segment_end_ = nullptr;
  const std::size_t most_frames_;     // by the budget
  std::unique_ptr<Frame[]> frames_;   // the first depth_ are in use, the others were never written
  std::size_t depth_ = 0;
  std::size_t callbacks_ = 0;  // entries in each other: of the host, and of natives
  Result entry_result_;
  Value entry_self_;           // what the entry frame's `this` became
  std::optional<Failure> failure_;
  // Cells of the Program that closures of this run use: copies, so that each run has its own variables.
  std::vector<std::pair<const Object*, Value>> thawed_;

  std::int64_t fuel_ = 0;         // operations left until refill() looks at the budget
  std::uint64_t fuel_taken_ = 0;  // what refill() gave since begin_budget()
  bool is_exhausted_ = false;     // charge() said no
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::time_point paused_;
};

}  // namespace vsl
