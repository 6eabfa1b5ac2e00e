#include "vsl-filter/lang/run.h"

#include "vsl-filter/lang/machine.h"
#include "vsl-filter/lang/operations.h"
#include "vsl-filter/lang/program.h"
#include "vsl-filter/lang/text.h"

namespace vsl {

Run::Run(const Program& program, const Budget& budget, void* host, Sinks sinks)
    : program_(program),
      own_heap_(std::make_unique<Heap>(budget.memory)),
      heap_(*own_heap_),
      budget_(budget),
      host_(host),
      sinks_(std::move(sinks)),
      machine_(std::make_unique<Machine>(*this, nullptr)) {}

Run::Run(Program& program, Heap& heap, std::vector<Value>& slots, const Budget& budget, void* host, Sinks sinks)
    : program_(program),
      heap_(heap),
      budget_(budget),
      host_(host),
      sinks_(std::move(sinks)),
      machine_(std::make_unique<Machine>(*this, &slots)) {
  heap_.set_limits(budget.memory);
}

Run::~Run() = default;

// What the host sees of an end: exit() is one like any other, and of a thrown value it gets the text.
Result Run::finished(Result result) {
  if (result) return result;
  Failure& failure = result.error();
  if (failure.kind() == ErrorKind::Exit) return failure.value();
  if (failure.kind() == ErrorKind::Thrown) {
    const std::string text = text_of(failure.value());
    failure.set_message(text.empty() ? "Runtime error" : "Runtime error: " + text);
  }
  return result;
}

Result Run::call(const Value& function, std::span<const Value> arguments) {
  machine_->begin_budget();
  Value self = Value::absent();
  return finished(machine_->call(function, self, arguments));
}

Result Run::call(std::string_view name, std::span<const Value> arguments) { return call(heap_.string(name), arguments); }

Result Run::call_back(const Value& callback, std::span<const Value> arguments) {
  Value self = Value::absent();
  return machine_->call(callback, self, arguments);
}

Result Run::call_back_on(Value& self, const Value& callback, std::span<const Value> arguments) {
  return machine_->call(callback, self, arguments);
}

int Run::parameters_of(const Value& callback) const { return machine_->parameters_of(callback); }
Span Run::where() const { return machine_->where(); }
bool Run::charge(std::uint64_t operations) { return machine_->charge(operations); }
void Run::pause_clock() { machine_->pause_clock(); }
void Run::resume_clock() { machine_->resume_clock(); }

Expected<bool> Run::equal(const Value& a, const Value& b) { return vsl::equal(*this, a, b); }
Expected<bool> Run::contains(const Value& container, const Value& element) { return vsl::contains(*this, container, element); }
Expected<std::optional<std::partial_ordering>> Run::compare(const Value& a, const Value& b) {
  return vsl::compare(*this, Operator::Less, a, b);
}

}  // namespace vsl
