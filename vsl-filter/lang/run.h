// One evaluation after another on a Program, with memory, variables and budget of its own. What native functions get.
//
// Not for two threads at once; the Program behind it is.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/heap.h"
#include "vsl-filter/lang/value.h"

namespace vsl {

class Program;
class Machine;

// Of one call from the host (a directive). 0: no limit.
struct Budget {
  std::uint64_t operations = 10'000'000;  // instructions in loops, and calls
  std::uint32_t call_depth = 128;
  std::chrono::milliseconds time{10'000};
  MemoryLimits memory;                    // of the whole run
};

// Where print() and debug() go: the text, and where it was said. Null: nowhere.
struct Sinks {
  std::function<void(std::string_view text)> print;
  std::function<void(std::string_view text, Span where)> debug;
  // Each assignment of a program that was loaded for it (LoadOptions::tells_assignments): to what, and what it is now.
  std::function<void(std::string_view place, const Value& value, Span where)> assigned = {};
};

class Run {
 public:
  // `host` is what native functions of the host find behind host<T>().
  Run(const Program& program, const Budget& budget, void* host = nullptr, Sinks sinks = {});
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // For the host: calls a function pointer with a fresh budget of operations and time.
  Result call(const Value& function, std::span<const Value> arguments = {});
  // ... or a function of the main script by name.
  Result call(std::string_view name, std::span<const Value> arguments = {});

  // For native functions: calls a function pointer, or a function by its name, within the budget that runs.
  Result call_back(const Value& callback, std::span<const Value> arguments);
  Result call_back(const Value& callback, std::initializer_list<Value> arguments) {
    return call_back(callback, std::span<const Value>(arguments.begin(), arguments.size()));
  }
  // ... with `this` bound to `self`, which keeps what the callback makes of it.
  Result call_back_on(Value& self, const Value& callback, std::span<const Value> arguments);
  // How many arguments the callback takes; -1 if that depends (a native function by name).
  int parameters_of(const Value& callback) const;

  [[nodiscard]] Heap& heap() { return heap_; }
  // Of a text that may be long.
  Value string(std::string_view text) { return heap_.string(text); }
  template <class T>
  [[nodiscard]] T& host() const { return *static_cast<T*>(host_); }
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] const Sinks& sinks() const { return sinks_; }
  // Where the script is.
  [[nodiscard]] Span where() const;

  // Natives whose work grows with their input count it here; false: over the budget, give up with any failure.
  bool charge(std::uint64_t operations);
  // Time that passes between the two (waiting in a service) does not count.
  void pause_clock();
  void resume_clock();

  // Operators, with the rules of the language (1.3). They fail only for host objects and too deep nesting.
  Expected<bool> equal(const Value& a, const Value& b);
  Expected<bool> contains(const Value& container, const Value& element);
  // For sorting: nullopt where the two have no order.
  Expected<std::optional<std::partial_ordering>> compare(const Value& a, const Value& b);

 private:
  friend class Machine;
  friend class Loading;  // engine.cpp

  // For loading: evaluates into the program's heap and slots.
  Run(Program& program, Heap& heap, std::vector<Value>& slots, const Budget& budget, void* host, Sinks sinks);
  Result finished(Result result);

  const Program& program_;
  std::unique_ptr<Heap> own_heap_;
  Heap& heap_;
  Budget budget_;
  void* host_;
  Sinks sinks_;
  std::unique_ptr<Machine> machine_;
};

}  // namespace vsl
