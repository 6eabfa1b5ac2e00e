// Calls of functions and methods; what can be changed in place.
#include <algorithm>

#include "vsl-filter/lang/compiler_function.h"

namespace vsl {

using ast::Kind;

namespace {

// a.b.c: a property of properties of a variable.
bool is_plain_part(const ast::Node& node) {
  const ast::Node* root = &node;
  while (root->kind == Kind::Property && !ast::as<ast::Property>(*root).is_optional) root = ast::as<ast::Property>(*root).object;
  return root != &node && (root->kind == Kind::Name || root->kind == Kind::This);
}

}  // namespace

// The register where a call's window begins: the target itself if nothing lies above it.
FunctionCompiler::Register FunctionCompiler::window_for(Register target) {
  if (target != kNone && target + 1 == next_ && !is_variable(target)) return target;
  return temporary();
}

void FunctionCompiler::arguments(ast::Nodes nodes) {
  for (const Node* node : nodes) expression(*node, temporary());
}

void FunctionCompiler::finish_call(Register window, Register target) {
  if (target != kNone && target != window) emit(Op::Take, target, window);
}

void FunctionCompiler::call(const ast::Call& node, Register target) {
  Scope scope(*this);
  bool is_done = false;
  if (node.callee.size() == 1) special_call(node, target, is_done);
  if (is_done) return;
  const Code* script = nullptr;
  const Overloads* native = nullptr;
  std::string name;
  for (const ast::Segment& segment : node.callee) (name += name.empty() ? "" : "::") += segment.name;
  const std::string_view last = node.callee.back().name;
  const std::size_t count = node.arguments.size();
  if (node.function != nullptr) {
    script = unit_.module_->functions[static_cast<std::size_t>(node.function->slot)].get();
  } else if (node.import != nullptr) {
    const ModuleCode* module = module_of(*node.import, node.callee);
    script = module == nullptr ? nullptr : module->find(last, count);
    if (script != nullptr && script->is_private) script = nullptr;
  } else {
    const std::size_t prefix = name.size() - last.size();
    const std::string_view space = prefix == 0 ? std::string_view() : std::string_view(name).substr(0, prefix - 2);
    native = unit_.program_.natives().find(space, last, count);
  }
  // A native that changes its first argument changes the variable, whichever way the call is written.
  if (native != nullptr && native->mutates && node.callee.size() == 1) {
    if (auto place = place_of(*node.arguments[0], false)) {
      const Register window = window_for(target);
      arguments(node.arguments.subspan(1));
      emit_method(window, count - 1, method_index({text(last), true, nullptr, native, std::move(*place)}));
      return finish_call(window, target);
    }
    if (is_constant_part(*node.arguments[0])) {
      Method method{text(last), true, nullptr, native, {}};
      method.receiver.is_constant = true;
      const Register window = window_for(target);
      expression(*node.arguments[0], window);
      arguments(node.arguments.subspan(1));
      emit_method(window, count - 1, method_index(std::move(method)));
      return finish_call(window, target);
    }
  }
  const Register window = window_for(target);
  arguments(node.arguments);
  if (script != nullptr) {
    const auto [known, is_new] = calls_.try_emplace(script, code_.calls.size());
    if (is_new) known->second = add_row(code_.calls, script);
    emit(Op::Call, window, static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(known->second));
  } else {
    const std::string_view shown = native != nullptr ? native->name : unit_.module_->names.emplace_back(name);
    emit(Op::CallNative, window, static_cast<std::uint32_t>(count),
         static_cast<std::uint32_t>(add_row(code_.natives, NativeCall{shown, native})));
  }
  finish_call(window, target);
}

// What looks like a call and is part of the language.
void FunctionCompiler::special_call(const ast::Call& node, Register target, bool& is_done) {
  const std::string_view name = node.callee[0].name;
  const std::size_t count = node.arguments.size();
  is_done = true;
  if (name == "Fn" && count == 1) {
    const Register pointer = operand(*node.arguments[0]);
    emit(Op::MakePointer, target == kNone ? temporary() : target, pointer);
    return;
  }
  if (name == "call" && count >= 1 && node.function == nullptr) {
    const Register window = window_for(target);
    arguments(node.arguments);
    emit(Op::CallPointer, window, static_cast<std::uint32_t>(count));
    return finish_call(window, target);
  }
  if (name == "is_shared" && count == 1 && node.function == nullptr) return is_shared(*node.arguments[0], target);
  if (name == "is_def_fn" && count == 2 && node.arguments[0]->kind == Kind::String && node.arguments[1]->kind == Kind::Int) {
    const auto parameters = static_cast<std::size_t>(ast::as<ast::Int>(*node.arguments[1]).value);
    return load_constant(target, unit_.module_->find(ast::as<ast::String>(*node.arguments[0]).value, parameters) != nullptr);
  }
  is_done = false;
}

// Only a variable can be; anything else is evaluated for what it does.
void FunctionCompiler::is_shared(const Node& node, Register target) {
  const ast::Variable* variable = node.kind == Kind::Name ? ast::as<ast::Name>(node).variable : nullptr;
  if (variable == nullptr) {
    Scope scope(*this);
    expression(node, temporary());
  }
  load_constant(target, variable != nullptr && home_of(*variable) == Home::Cell);
}

void FunctionCompiler::method_call(const ast::MethodCall& node, Register target) {
  if (node.name == "is_shared" && node.arguments.empty()) return is_shared(*node.object, target);
  Scope scope(*this);
  const std::size_t count = node.arguments.size();
  const Code* script = unit_.module_->find(node.name, count);
  const Overloads* native = unit_.program_.natives().find("", node.name, count + 1);
  Method method{text(node.name), false, script, native, {}};
  method.is_optional = node.is_optional;
  // Only a receiver that may be changed needs its place; a part of a variable that is merely read is read.
  const bool may_change = script != nullptr || native == nullptr || native->mutates;
  const bool is_name = node.object->kind == Kind::Name || node.object->kind == Kind::This;
  bool is_safe = true;
  for (const Node* argument : node.arguments) is_safe = is_safe && !may_change_variables(*argument);
  if (may_change || (is_name && is_safe)) {
    if (auto place = place_of(*node.object, is_safe)) {
      const Register window = window_for(target);
      const bool may_be_skipped = node.is_optional || std::ranges::any_of(place->steps, &Step::is_optional);
      method.receiver = std::move(*place);
      const std::size_t index = method_index(std::move(method));
      Label end;
      // Of a call that does not happen no argument is evaluated.
      if (may_be_skipped && count > 0) jump(Op::JumpUnlessReceiver, end, window, static_cast<std::uint32_t>(index));
      arguments(node.arguments);
      {
        At at(*this, node.name_span);
        emit_method(window, count, index);
      }
      this->place(end);
      return finish_call(window, target);
    }
  }
  method.receiver.is_constant = is_constant_part(*node.object);
  if (is_plain_part(*node.object))
    if (auto part = place_of(*node.object, true)) method.part = std::move(*part);
  const Register window = window_for(target);
  expression(*node.object, window);
  Label end;
  if (node.is_optional) jump(Op::JumpIfUnit, end, window);
  arguments(node.arguments);
  {
    At at(*this, node.name_span);
    emit_method(window, count, method_index(std::move(method)));
  }
  place(end);
  finish_call(window, target);
}

std::size_t FunctionCompiler::method_index(Method method) {
  Heap::freeze({&method.name, 1});
  return add_row(code_.methods, std::move(method));
}

void FunctionCompiler::emit_method(Register window, std::size_t arguments, std::size_t method) {
  const Op op = unit_.options_.is_optimized && is_push(code_.methods[method], arguments) ? Op::CallPush : Op::CallMethod;
  emit(op, window, static_cast<std::uint32_t>(arguments), static_cast<std::uint32_t>(method));
}

// Of a variable of this function that is no constant, and would be that of arrays if it is one.
bool FunctionCompiler::is_push(const Method& method, std::size_t arguments) {
  const Place& place = method.receiver;
  if (arguments != 1 || method.script != nullptr || method.native == nullptr) return false;
  if (place.root != Place::Root::Register || !place.steps.empty() || place.is_constant) return false;
  const auto takes_arrays = [](const NativeRow* row) {
    return row->parameters.all[0].type == Type::Array || row->parameters.all[0].type == Type::Any;
  };
  const auto row = std::ranges::find_if(method.native->rows, takes_arrays);
  return row != method.native->rows.end() && is_array_push(**row);
}

// A variable that is no constant of the top level, or a part of one: indexes are evaluated into registers. `is_safe`: nothing that is
// evaluated before the place is used changes variables.
std::optional<Place> FunctionCompiler::place_of(const Node& node, bool is_safe) {
  // First whether it is one: then nothing must have been emitted.
  const Node* root = &node;
  while (root->kind == Kind::Index || root->kind == Kind::Property)
    root = root->kind == Kind::Index ? ast::as<ast::Index>(*root).object : ast::as<ast::Property>(*root).object;
  Place place;
  if (root->kind == Kind::This) {
    place.root = Place::Root::This;
  } else if (root->kind == Kind::Name && ast::as<ast::Name>(*root).variable != nullptr) {
    const ast::Variable& variable = *ast::as<ast::Name>(*root).variable;
    const Home home = home_of(variable);
    if (home == Home::Slot) return std::nullopt;
    place.root = home == Home::Cell ? Place::Root::Cell : Place::Root::Register;
    place.is_constant = variable.is_constant;
    place.base = register_of(variable);
  } else {
    return std::nullopt;
  }
  append_steps(node, is_safe, place);
  return place;
}

// A constant of the top level, of a module or of the host, or a part of one. Asked where place_of() found no place.
bool FunctionCompiler::is_constant_part(const Node& node) {
  const Node* root = &node;
  while (root->kind == Kind::Index || root->kind == Kind::Property)
    root = root->kind == Kind::Index ? ast::as<ast::Index>(*root).object : ast::as<ast::Property>(*root).object;
  return root->kind == Kind::Name || root->kind == Kind::Path;
}

bool FunctionCompiler::append_steps(const Node& node, bool is_safe, Place& place) {
  if (node.kind == Kind::Index) {
    const auto& index = ast::as<ast::Index>(node);
    append_steps(*index.object, is_safe, place);
    const Register at = stable_operand(*index.index, is_safe);
    place.steps.push_back({true, index.is_optional, at, {}});
  } else if (node.kind == Kind::Property) {
    const auto& property = ast::as<ast::Property>(node);
    append_steps(*property.object, is_safe, place);
    Value key = text(property.name);
    Heap::freeze({&key, 1});
    place.steps.push_back({false, property.is_optional, 0, std::move(key)});
  }
  return true;
}

}  // namespace vsl
