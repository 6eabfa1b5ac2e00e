// Frames, budget, failures of the virtual machine; the loop is in machine_loop.cpp, calls in machine_calls.cpp.
#include "vsl-filter/lang/machine.h"

#include <algorithm>

#include "lib/base/stack.h"
#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/operations.h"
#include "vsl-filter/lang/text.h"

namespace vsl {

namespace {

constexpr std::size_t kFirstRegisters = 64;  // enough for most runs, and made for each of them
constexpr std::size_t kSegmentRegisters = 512;
constexpr std::int64_t kSlice = 16'384;            // operations between two looks at the clock
constexpr std::size_t kEntry = 1;                   // what the host calls is no nested call
constexpr std::size_t kDepthWithoutLimit = 10'000;
constexpr std::size_t kMostCallbacks = 2'000;       // in each other, whatever the budget: they need the stack of C++
constexpr std::size_t kSureCallbacks = 50;          // for which every thread has the stack
constexpr std::size_t kStackReserve = 256 << 10;    // for what a native needs itself

std::int64_t kind_number(ErrorKind kind) { return static_cast<std::int64_t>(kind); }

}  // namespace

Machine::Machine(Run& run, std::vector<Value>* slots)
    : run_(run),
      heap_(run.heap_),
      slots_(slots),
      most_frames_(kEntry + (run.budget_.call_depth == 0 ? kDepthWithoutLimit : run.budget_.call_depth)),
      frames_(std::make_unique_for_overwrite<Frame[]>(most_frames_)) {
  segments_.push_back({std::make_unique<Value[]>(kFirstRegisters), kFirstRegisters});
  segment_end_ = segments_[0].values.get() + kFirstRegisters;
  begin_budget();
}

Machine::~Machine() = default;

Value* Machine::top() const {
  if (depth_ == 0) return segments_[0].values.get();
  return frames_[depth_ - 1].base + frames_[depth_ - 1].code->registers;
}

Value* Machine::next_segment(std::size_t registers) {
  ++segment_;
  if (segment_ < segments_.size() && segments_[segment_].size < registers) segments_.resize(segment_);
  if (segment_ == segments_.size()) {
    const std::size_t size = std::max(registers, kSegmentRegisters);
    segments_.push_back({std::make_unique<Value[]>(size), size});
  }
  Value* base = segments_[segment_].values.get();
  segment_end_ = base + segments_[segment_].size;
  return base;
}

bool Machine::enter(const Code& code, Value* window, std::size_t arguments, const Function* function, const Place* receiver,
                    bool is_constant) {
  if (depth_ >= most_frames_) return fail_with(Failure(ErrorKind::StackOverflow, "Stack overflow"));
  Value* base = window;
  const std::uint32_t segment = segment_;
  if (window + code.registers > segment_end_) {
    base = next_segment(code.registers);
    std::move(window, window + arguments + 1, base);
  }
  if (function != nullptr) bind(code, base, arguments, *function);
  frames_[depth_++] = Frame{&code, code.instructions.data(), base, window, receiver, segment, false, is_constant};
  return true;
}

void Machine::bind(const Code& code, Value* window, std::size_t arguments, const Function& function) {
  if (function.curried > 0) {
    for (std::size_t i = arguments; i > 0; --i) window[i + function.curried] = std::move(window[i]);
    std::copy_n(function.curried_values().begin(), function.curried, window + 1);
  }
  Value* captures = window + 1 + code.parameters;
  for (std::size_t i = 0; i < function.captured; ++i) captures[i] = thawed(function.bound()[i]);
}

// A cell that is part of the Program belongs to all runs: this run uses a copy from the first time on.
Value Machine::thawed(const Value& cell) {
  if (slots_ != nullptr || !cell.object()->is_immortal()) return cell;
  for (const auto& [frozen, own] : thawed_)
    if (frozen == cell.object()) return own;
  return thawed_.emplace_back(cell.object(), heap_.cell(cell.as_cell().value)).second;
}

bool Machine::leave(Value& result_register) {
  Value result = std::move(result_register);
  const Frame& frame = frames_[depth_ - 1];
  if (frame.receiver != nullptr) give_back(frame);
  if (frame.is_entry) entry_self_ = std::move(frame.base[0]);
  for (Value *one = frame.base, *end = one + frame.code->registers; one != end; ++one)
    if (one->is_object()) one->set_unit();
  if (segment_ != frame.segment) {
    segment_ = frame.segment;
    segment_end_ = segments_[segment_].values.get() + segments_[segment_].size;
  }
  --depth_;
  if (frame.is_entry) {
    entry_result_ = std::move(result);
    return true;
  }
  *frame.result = std::move(result);
  return false;
}

// `this` of a method goes back to where the caller had it.
void Machine::give_back(const Frame& frame) {
  Value self = std::move(frame.base[0]);
  if (self.is(Tag::Cell)) self = Value(self.as_cell().value);
  write_place(*frame.receiver, frames_[depth_ - 2].base, std::move(self));
}

Result Machine::call(const Code& code, Value& self, std::span<const Value> arguments, const Function* function) {
  if (callbacks_ >= kMostCallbacks || (callbacks_ >= kSureCallbacks && base::stack_left() < kStackReserve)) return fail(ErrorKind::StackOverflow, "Stack overflow");
  const std::size_t entry = depth_;
  Value* window = top();
  const std::uint32_t segment = segment_;
  const std::size_t bound = function == nullptr ? 0 : function->curried;
  if (window + std::max<std::size_t>(code.registers, arguments.size() + bound + 1) > segment_end_)
    window = next_segment(std::max<std::size_t>(code.registers, arguments.size() + bound + 1));  // nothing lies at the top yet
  window[0] = std::move(self);
  std::copy(arguments.begin(), arguments.end(), window + 1);
  const bool is_entered = enter(code, window, arguments.size(), function, nullptr, false);
  if (is_entered) {
    frames_[depth_ - 1].segment = segment;
    frames_[depth_ - 1].is_entry = true;
    ++callbacks_;
    Result result = run(entry);
    --callbacks_;
    self = std::move(entry_self_);
    return result;
  }
  self = std::move(window[0]);
  for (std::size_t i = 1; i <= arguments.size(); ++i) window[i].set_unit();
  segment_ = segment;
  segment_end_ = segments_[segment_].values.get() + segments_[segment_].size;
  Failure failure = std::move(*failure_);
  failure_.reset();
  return std::unexpected(std::move(failure));
}

// --- failures

bool Machine::fail_with(Failure failure) {
  failure_ = std::move(failure);
  return false;
}

bool Machine::unwind(std::size_t entry) {
  while (depth_ > entry) {
    Frame& frame = frames_[depth_ - 1];
    const auto at = static_cast<std::uint32_t>(frame.pc - frame.code->instructions.data() - 1);
    if (is_catchable(failure_->kind())) {
      const auto handler = std::ranges::find_if(frame.code->handlers, [at](const Handler& h) { return h.begin <= at && at < h.end; });
      if (handler != frame.code->handlers.end()) {
        std::int64_t kind = 0;
        frame.base[handler->caught] = caught_value(kind);
        frame.base[handler->caught + 1] = kind;
        frame.pc = frame.code->instructions.data() + handler->target;
        failure_.reset();
        return true;
      }
    }
    failure_->add_call(frame.code->name, frame.code->span_of(at));
    Value none;
    leave(none);
  }
  return false;
}

// What `catch` binds: specification 1.5.
Value Machine::caught_value(std::int64_t& kind) {
  kind = kind_number(failure_->kind());
  if (failure_->kind() == ErrorKind::Thrown) return failure_->value();
  if (failure_->kind() == ErrorKind::Api) return heap_.string(failure_->message());
  const Frame& frame = frames_[depth_ - 1];
  const auto at = static_cast<std::size_t>(frame.pc - frame.code->instructions.data() - 1);
  const Span span = failure_->stack().empty() ? frame.code->span_of(at) : failure_->span();
  const Location location = run_.program_.sources().locate(span);
  Value value = heap_.map();
  Map& map = value.map_for_write(heap_);
  map.set("error", heap_.string(error_name(failure_->kind())));
  map.set("message", heap_.string(failure_->message()));
  map.set("line", std::int64_t{location.line});
  map.set("position", std::int64_t{location.column});
  map.set("source", heap_.string(run_.program_.sources().at(span.source).name()));
  // The native function that failed, else the script's in which it happened.
  const std::string_view script = failure_->stack().empty() ? frame.code->name : failure_->stack().front().function;
  const std::string_view function = failure_->function().empty() ? script : failure_->function();
  if (!function.empty()) map.set("function", heap_.string(function));
  return value;
}

bool Machine::rethrow(const Value& value, const Value& kind) {
  const auto what = static_cast<ErrorKind>(kind.as_int());
  if (what == ErrorKind::Thrown) return fail_with(Failure(what, value));
  if (what == ErrorKind::Api) return fail_with(Failure(what, text_of(value)));
  const Value* message = value.is_map() ? value.as_map().find("message") : nullptr;
  return fail_with(Failure(what, message == nullptr ? std::string() : text_of(*message)));
}

Span Machine::where() const {
  if (depth_ == 0) return {};
  const Frame& frame = frames_[depth_ - 1];
  const auto behind = static_cast<std::size_t>(frame.pc - frame.code->instructions.data());
  return frame.code->span_of(behind == 0 ? 0 : behind - 1);
}

const ModuleCode& Machine::module() const { return depth_ == 0 ? run_.program_.main() : *frames_[depth_ - 1].code->module; }

// --- budget

void Machine::begin_budget() {
  fuel_ = 0;
  fuel_taken_ = 0;
  is_exhausted_ = false;
  heap_.forget_too_large();
  deadline_ = std::chrono::steady_clock::now() + run_.budget_.time;
}

bool Machine::refill() {
  const std::uint64_t most = run_.budget_.operations;
  while (fuel_ < 0) {
    const auto slice = most == 0 ? kSlice : static_cast<std::int64_t>(std::min<std::uint64_t>(kSlice, most - fuel_taken_));
    if (slice == 0) return fail_with(Failure(ErrorKind::TooManyOperations, "Too many operations"));
    fuel_ += slice;
    fuel_taken_ += static_cast<std::uint64_t>(slice);
  }
  if (run_.budget_.time.count() != 0 && std::chrono::steady_clock::now() > deadline_)
    return fail_with(Failure(ErrorKind::TimeOut, "Time limit exceeded"));
  return true;
}

bool Machine::charge(std::uint64_t operations) {
  fuel_ -= static_cast<std::int64_t>(std::min<std::uint64_t>(operations, INT64_MAX / 2));
  if (fuel_ >= 0) return true;
  std::optional<Failure> before = std::move(failure_);
  if (refill()) {
    failure_ = std::move(before);
    return true;
  }
  is_exhausted_ = true;
  return false;
}

void Machine::pause_clock() { paused_ = std::chrono::steady_clock::now(); }
void Machine::resume_clock() { deadline_ += std::chrono::steady_clock::now() - paused_; }

// --- loops and making

// state[1]: of a string the octet, else the number of the next element.
bool Machine::prepare_loop(Value* state) {
  const Value& iterable = state[0];
  const bool is_iterable = iterable.is_array() || iterable.is_string() || iterable.is_range() || iterable.is_blob() ||
                           (iterable.is_host() && iterable.as_host().host_class->element != nullptr);
  if (!is_iterable) return fail_with(Failure(ErrorKind::For, "Expecting an iterable value, not a " + std::string(type_name(iterable))));
  state[1] = 0;
  return true;
}

int Machine::next_element(Value* state, Value& element) {
  const auto position = static_cast<std::size_t>(state[1].as_int());
  std::size_t step = 1;
  switch (state[0].tag()) {
    case Tag::Array:
      if (position >= state[0].as_array().size()) return 0;
      element = state[0].as_array()[position];
      break;
    case Tag::Short:
    case Tag::String:
      if (position >= state[0].as_text().size()) return 0;
      element = Value::character(code_point_at(state[0].as_text(), position, step));
      break;
    case Tag::Range: {
      const Range& range = state[0].as_range();
      const auto distance = static_cast<std::uint64_t>(range.last) - static_cast<std::uint64_t>(range.first);
      if (range.empty() || (range.is_inclusive ? position > distance : position >= distance)) return 0;
      element = static_cast<std::int64_t>(static_cast<std::uint64_t>(range.first) + position);
      break;
    }
    case Tag::Blob:
      if (position >= state[0].as_blob().size()) return 0;
      element = std::int64_t{state[0].as_blob()[position]};
      break;
    default: {
      auto is_there = state[0].as_host().host_class->element(run_, state[0], position, element);
      if (!is_there) return fail_with(std::move(is_there.error())), -1;
      if (!*is_there) return 0;
    }
  }
  state[1] = static_cast<std::int64_t>(position + step);
  return 1;
}

bool Machine::is_in_case(const Range& range, const Value& value) {
  if (value.is_int()) return range.contains(value.as_int());
  if (!value.is_float()) return false;
  const double number = value.as_float(), last = static_cast<double>(range.last);
  return number >= static_cast<double>(range.first) && (range.is_inclusive ? number <= last : number < last);
}

Value Machine::make_closure(const ClosureShape& shape, const Value* base) {
  std::vector<Value> captured;
  captured.reserve(shape.captures.size());
  for (const std::uint16_t place : shape.captures) captured.push_back(base[place]);
  return heap_.function(shape.code, Value::short_string("closure"), captured, {}, shape.code->module);
}

Value Machine::make_string(const Value* parts, std::size_t count) {
  if (count == 2 && parts[0].is_string() && parts[1].is_string()) return heap_.concatenate(parts[0].as_text(), parts[1].as_text());
  std::string text;
  for (std::size_t i = 0; i < count; ++i) append_text(text, parts[i]);
  return heap_.string(text);
}

Value Machine::make_array(Value* elements, std::size_t count) {
  Value value = heap_.array(count);
  auto& array = *static_cast<Array*>(value.object());
  for (std::size_t i = 0; i < count; ++i) array.push(std::move(elements[i]));
  return value;
}

Value Machine::make_map(const std::vector<Value>& keys, Value* values) {
  Value value = heap_.map();
  auto& map = *static_cast<Map*>(value.object());
  for (std::size_t i = 0; i < keys.size(); ++i) map.at(keys[i]) = std::move(values[i]);
  return value;
}

}  // namespace vsl
