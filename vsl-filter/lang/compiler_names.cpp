// Variables and where they live, paths, constants of the host.
#include "vsl-filter/lang/compiler_function.h"

namespace vsl {

using ast::Kind;

FunctionCompiler::Home FunctionCompiler::home_of(const ast::Variable& variable) const {
  if (is_slot(variable)) return Home::Slot;
  return variable.is_captured ? Home::Cell : Home::Register;
}

FunctionCompiler::Register FunctionCompiler::register_of(const ast::Variable& variable) const {
  const auto captured = captures_.find(&variable);
  return captured != captures_.end() ? captured->second : static_cast<Register>(variable.slot);
}

// From here on the variable is what lies in this register, which stays its home (unless it is a slot).
void FunctionCompiler::declare(ast::Variable& variable, Register value) {
  if (is_slot(variable)) {
    variable.slot = static_cast<std::int32_t>(unit_.new_slot(variable.name));
    emit_wide(Op::StoreSlot, value, variable.slot);
    return;
  }
  bind_parameter(variable, value);
}

void FunctionCompiler::bind_parameter(ast::Variable& variable, Register home) {
  variable.slot = home;
  if (is_variable_.size() <= home) is_variable_.resize(home + 16u, false);
  is_variable_[home] = true;
  if (variable.is_captured) emit(Op::MakeCell, home);
}

void FunctionCompiler::read_variable(const ast::Variable& variable, Register target) {
  if (target == kNone) return;
  switch (home_of(variable)) {
    case Home::Slot:
      if (variable.slot < 0)
        raise(ErrorKind::VariableNotFound, "Variable not found: " + std::string(variable.name));
      else
        emit_wide(Op::LoadSlot, target, variable.slot);
      break;
    case Home::Cell: emit(Op::GetCell, target, register_of(variable)); break;
    case Home::Register:
      if (register_of(variable) != target) emit(Op::Move, target, register_of(variable));
      break;
  }
}

void FunctionCompiler::name(const ast::Name& node, Register target) {
  if (node.variable != nullptr) return read_variable(*node.variable, target);
  if (!host_value("", node.name, target)) raise(ErrorKind::VariableNotFound, "Variable not found: " + std::string(node.name));
}

// A constant that the host made, or a function of it that is one.
bool FunctionCompiler::host_value(std::string_view space, std::string_view name, Register target) {
  const Natives& natives = unit_.program_.natives();
  if (const Value* constant = natives.constant(space, name)) {
    load_constant(target, *constant);
    return true;
  }
  const Overloads* overloads = natives.find(space, name, 0);
  if (overloads == nullptr || (overloads->rows.front()->flags & kConstant) == 0) return false;
  Scope scope(*this);
  const Register window = window_for(target);
  const auto row = add_row(code_.natives, NativeCall{overloads->name, overloads});
  emit(Op::CallNative, window, 0, static_cast<std::uint32_t>(row));
  finish_call(window, target);
  return true;
}

// What all but the last of the segments name: the import and its sub-modules. Null: there is no such module.
const ModuleCode* FunctionCompiler::module_of(const ast::Import& import, ast::List<ast::Segment> segments) const {
  if (import.module < 0) return nullptr;
  const ModuleCode* module = unit_.program_.modules_[static_cast<std::size_t>(import.module)].get();
  for (std::size_t i = 1; i + 1 < segments.size() && module != nullptr; ++i) module = module->find_import(segments[i].name);
  return module;
}

namespace {

std::string joined(ast::List<ast::Segment> segments) {
  std::string out;
  for (const ast::Segment& segment : segments) (out += out.empty() ? "" : "::") += segment.name;
  return out;
}

}  // namespace

void FunctionCompiler::path(const ast::Path& node, Register target) {
  if (node.variable != nullptr) return read_variable(*node.variable, target);
  const std::string all = joined(node.segments);
  const std::string_view last = node.segments.back().name;
  if (node.import != nullptr) {
    const ModuleCode* module = module_of(*node.import, node.segments);
    const ModuleCode::Export* found = module == nullptr ? nullptr : module->find_export(last);
    if (found != nullptr) {
      if (target != kNone) emit_wide(Op::LoadSlot, target, static_cast<std::int32_t>(found->slot));
      return;
    }
    return raise(module == nullptr ? ErrorKind::ModuleNotFound : ErrorKind::VariableNotFound,
                 (module == nullptr ? "Module not found: " : "Variable not found: ") + all);
  }
  const std::string space = joined(node.segments.first(node.segments.size() - 1));
  if (host_value(space, last, target)) return;
  const bool is_known = space == "global" || unit_.program_.natives().has_space(space);
  raise(is_known ? ErrorKind::VariableNotFound : ErrorKind::ModuleNotFound,
        is_known ? "Variable not found: " + all : "Module not found: " + space);
}

}  // namespace vsl
