// Calls of native functions, methods and function pointers.
#include <algorithm>

#include "vsl-filter/lang/machine.h"
#include "vsl-filter/lang/operations.h"

namespace vsl {

Machine::Outcome Machine::not_found(std::string_view name, std::span<const Value> arguments) {
  fail_with(function_not_found(name, arguments));
  return Outcome::Failed;
}

// The arguments lie from window[skip] on; what is left of them is released.
Machine::Outcome Machine::run_native(const NativeRow& row, Value* window, std::size_t skip, std::size_t arguments) {
  if (--fuel_ < 0 && !refill()) return Outcome::Failed;
  Result result = row.run(run_, {window + skip, arguments});
  if (skip == 0) window[0].set_unit();
  return finish_native(row, std::move(result), window, skip == 0 ? arguments - 1 : arguments);
}

Machine::Outcome Machine::call_native(const Overloads* native, std::string_view name, Value* window, std::size_t arguments) {
  const std::span<Value> all(window + 1, arguments);
  const NativeRow* row = native == nullptr ? nullptr : native->select(all);
  if (row == nullptr) return not_found(name, all);
  return run_native(*row, window, 1, arguments);
}

// --- methods

Machine::Outcome Machine::call_method(const Method& method, Value* window, std::size_t arguments) {
  const Place& place = method.receiver;
  Value* base = frames_[depth_ - 1].base;
  // What the receiver is, without taking it from where it is.
  const Value* receiver = window;
  if (place.root != Place::Root::Temporary) {
    if (place.steps.empty()) {
      receiver = root_of(place, base);
      if (receiver == nullptr) return Outcome::Failed;
    } else {
      bool is_skipped = false;
      Result part = read_place(place, base, is_skipped);
      if (!part) return fail_with(std::move(part.error())), Outcome::Failed;
      window[0] = std::move(*part);
      if (is_skipped) {
        for (std::size_t i = 1; i <= arguments; ++i) window[i].set_unit();
        return Outcome::Done;
      }
    }
  }
  if (method.is_optional && receiver->is_unit()) {
    for (std::size_t i = 0; i <= arguments; ++i) window[i].set_unit();
    return Outcome::Done;
  }
  if (!method.is_call) {
    if (receiver->is_map()) {
      const Value* property = receiver->as_map().find(method.name);
      if (property != nullptr && property->is_function()) {
        const Value function = *property;
        return call_script_method(method, nullptr, &function, window, arguments);
      }
    }
    if (receiver->is_function() && method.name.as_text() == "call") {
      const Value function = *receiver;
      window[0].set_absent();
      return call_pointer(function, window, arguments, nullptr, false);
    }
    if (method.script != nullptr) return call_script_method(method, method.script, nullptr, window, arguments);
  }
  if (receiver != window) return call_native_on(method, *root_of(place, base), window, arguments);
  const std::span<const Value> all(window, arguments + 1);
  const NativeRow* row = method.native == nullptr ? nullptr : method.native->select(all);
  if (row == nullptr) return not_found(method.name.as_text(), all);
  if (place.root == Place::Root::Temporary || !row->mutates()) {
    if (row->mutates() && !check_constant_this(place, method.name.as_text())) return Outcome::Failed;
    return run_native(*row, window, 0, arguments + 1);
  }
  return change_by_native(method, *row, window, arguments);
}

int Machine::has_receiver(const Method& method, Value* base) {
  bool is_skipped = false;
  Result receiver = read_place(method.receiver, base, is_skipped);
  if (!receiver) {
    fail_with(std::move(receiver.error()));
    return -1;
  }
  return is_skipped || (method.is_optional && receiver->is_unit()) ? 0 : 1;
}

// A native method of a whole variable. One that changes it gets the value itself, so that nothing is copied; unless it calls back:
// what it calls may look at the variable.
Machine::Outcome Machine::call_native_on(const Method& method, Value& variable, Value* window, std::size_t arguments) {
  window[0] = std::move(variable);
  const std::span<Value> all(window, arguments + 1);
  const NativeRow* row = method.native == nullptr ? nullptr : method.native->select(all);
  if (row == nullptr || (row->mutates() && !check_constant_this(method.receiver, method.name.as_text()))) {
    if (row == nullptr) not_found(method.name.as_text(), all);
    variable = std::move(window[0]);
    return Outcome::Failed;
  }
  // What does not change the variable may still move out of its argument.
  if (!row->mutates() || (row->flags & kCalls) != 0) variable = window[0];
  if (--fuel_ < 0 && !refill()) {
    variable = std::move(window[0]);
    return Outcome::Failed;
  }
  Result result = row->run(run_, all);
  if (row->mutates()) variable = std::move(window[0]);
  return finish_native(*row, std::move(result), window, arguments);
}

Machine::Outcome Machine::finish_native(const NativeRow& row, Result result, Value* window, std::size_t arguments) {
  for (std::size_t i = 1; i <= arguments; ++i)
    if (window[i].is_object()) window[i].set_unit();
  if (is_exhausted_) {  // charge() said no, here or in what was called back; whatever the native made of it
    if (!failure_) fail_with(Failure(ErrorKind::TooManyOperations, "Too many operations"));
    return Outcome::Failed;
  }
  if (!result) {
    Failure failure = std::move(result.error());
    if (failure.function().empty()) failure.in_function(row.name);
    fail_with(std::move(failure));
    return Outcome::Failed;
  }
  window[0] = std::move(*result);
  return Outcome::Done;
}

// A part of a variable, of which window[0] holds a copy.
Machine::Outcome Machine::change_by_native(const Method& method, const NativeRow& row, Value* window, std::size_t arguments) {
  const Place& place = method.receiver;
  if (!check_constant_this(place, method.name.as_text())) return Outcome::Failed;
  Value* base = frames_[depth_ - 1].base;
  if (--fuel_ < 0 && !refill()) return Outcome::Failed;
  Result result = Value();
  if ((row.flags & kCalls) != 0) {
    result = row.run(run_, {window, arguments + 1});
    write_place(place, base, std::move(window[0]));
  } else {
    auto changed = change_place(place, base, [&](Value& target) -> Expected<void> {
      window[0].set_unit();
      window[0] = std::move(target);
      result = row.run(run_, {window, arguments + 1});
      target = std::move(window[0]);
      return {};
    });
    if (!changed) return fail_with(std::move(changed.error())), Outcome::Failed;
  }
  return finish_native(row, std::move(result), window, arguments);
}

// `this` is a captured variable's cell itself; another variable's value moves into the callee and back at its end.
Machine::Outcome Machine::call_script_method(const Method& method, const Code* code, const Value* function, Value* window,
                                             std::size_t arguments) {
  const Place& place = method.receiver.root == Place::Root::Temporary && method.part.root != Place::Root::Temporary ? method.part : method.receiver;
  Value* base = frames_[depth_ - 1].base;
  const Place* back = nullptr;
  bool is_constant = place.is_constant;
  if (place.root == Place::Root::This) is_constant = is_constant || frames_[depth_ - 1].has_constant_this;
  if (place.root == Place::Root::Temporary || is_constant) {
    if (is_constant && place.root != Place::Root::Temporary && place.steps.empty()) window[0] = *root_of(place, base);
  } else if (!place.steps.empty()) {
    back = &place;
  } else {
    Value& home = base[place.root == Place::Root::This ? 0 : place.base];
    if (home.is(Tag::Cell)) {
      window[0] = home;
    } else {
      window[0] = std::move(home);
      back = &place;
    }
  }
  if (function != nullptr) return call_pointer(*function, window, arguments, back, is_constant);
  if (--fuel_ < 0 && !refill()) {
    if (back != nullptr) write_place(*back, base, std::move(window[0]));
    return Outcome::Failed;
  }
  if (enter(*code, window, arguments, nullptr, back, is_constant)) return Outcome::Entered;
  if (back != nullptr) write_place(*back, base, std::move(window[0]));
  return Outcome::Failed;
}

bool Machine::check_constant_this(const Place& place, std::string_view method) {
  const bool is_constant = place.is_constant || (place.root == Place::Root::This && frames_[depth_ - 1].has_constant_this);
  if (!is_constant) return true;
  return fail_with(Failure(ErrorKind::NonPureMethod, "Non-pure method '" + std::string(method) + "' cannot be called on constant"));
}

// --- function pointers

Machine::Named Machine::find_named(std::string_view name, std::size_t arguments, const ModuleCode& module) const {
  Named named;
  named.script = module.find(name, arguments);
  if (named.script == nullptr) named.native = run_.program_.natives().find("", name, arguments);
  return named;
}

// window[0] is `this`. On failure before the callee runs, `this` goes back, too.
Machine::Outcome Machine::call_pointer(const Value& value, Value* window, std::size_t arguments, const Place* receiver, bool is_constant) {
  const auto give_up = [&](Outcome outcome) {
    if (receiver != nullptr) write_place(*receiver, frames_[depth_ - 1].base, std::move(window[0]));
    return outcome;
  };
  if (--fuel_ < 0 && !refill()) return give_up(Outcome::Failed);
  if (!value.is_function()) return give_up(not_found("call", {&value, 1}));
  const Function& function = value.as_function();
  const std::size_t all = arguments + function.curried;
  const Code* code = function.code;
  if (code == nullptr) {
    const Named named = find_named(function.name.as_text(), all, function.module == nullptr ? module() : *function.module);
    if (named.script == nullptr) {
      // A native: the arguments with what is bound in front, behind the window.
      std::vector<Value> joined(function.curried_values().begin(), function.curried_values().end());
      for (std::size_t i = 1; i <= arguments; ++i) joined.push_back(std::move(window[i]));
      const NativeRow* row = named.native == nullptr ? nullptr : named.native->select(joined);
      if (row == nullptr) return give_up(not_found(function.name.as_text(), joined));
      Value self = std::move(window[0]);
      joined.insert(joined.begin(), Value());
      const Outcome outcome = run_native(*row, joined.data(), 1, all);
      if (receiver != nullptr) write_place(*receiver, frames_[depth_ - 1].base, std::move(self));
      window[0] = std::move(joined[0]);
      return outcome;
    }
    code = named.script;
  }
  if (code->parameters != all) {
    std::vector<Value> joined(function.curried_values().begin(), function.curried_values().end());
    joined.insert(joined.end(), window + 1, window + 1 + arguments);
    return give_up(not_found(code->is_closure ? "closure" : code->name, joined));
  }
  if (!enter(*code, window, arguments, &function, receiver, is_constant)) return give_up(Outcome::Failed);
  return Outcome::Entered;
}

Result Machine::call(const Value& callback, Value& self, std::span<const Value> arguments) {
  if (--fuel_ < 0 && !refill()) {
    Failure failure = std::move(*failure_);
    failure_.reset();
    is_exhausted_ = false;
    return std::unexpected(std::move(failure));
  }
  const bool is_name = callback.is_string();
  if (!is_name && !callback.is_function()) return function_not_found("call", {&callback, 1});
  const Value held = callback;
  const Function* function = is_name ? nullptr : &held.as_function();
  const std::size_t curried = is_name ? 0 : function->curried;
  const std::size_t all = arguments.size() + curried;
  if (!is_name && function->code != nullptr) {
    if (function->code->parameters == all) return call(*function->code, self, arguments, function);
    return function_not_found("closure", arguments);
  }
  const std::string_view name = is_name ? held.as_text() : function->name.as_text();
  const Named named = find_named(name, all, is_name || function->module == nullptr ? module() : *function->module);
  if (named.script != nullptr) return call(*named.script, self, arguments, function);
  std::vector<Value> joined;
  if (curried > 0) joined.assign(function->curried_values().begin(), function->curried_values().end());
  joined.insert(joined.end(), arguments.begin(), arguments.end());
  const NativeRow* row = named.native == nullptr ? nullptr : named.native->select(joined);
  if (row == nullptr) return function_not_found(name, joined);
  return row->run(run_, joined);
}

int Machine::parameters_of(const Value& callback) const {
  const bool is_name = callback.is_string();
  if (!is_name && !callback.is_function()) return -1;
  const Function* function = is_name ? nullptr : &callback.as_function();
  const int curried = is_name ? 0 : function->curried;
  if (!is_name && function->code != nullptr) return function->code->parameters - curried;
  const std::string_view name = is_name ? callback.as_text() : function->name.as_text();
  const ModuleCode& where = is_name || function->module == nullptr ? module() : *function->module;
  for (int count = 1; count <= static_cast<int>(Parameters::kMost); ++count) {
    const Named named = find_named(name, static_cast<std::size_t>(count + curried), where);
    if (named.script != nullptr || named.native != nullptr) return count;
  }
  return -1;
}

}  // namespace vsl
