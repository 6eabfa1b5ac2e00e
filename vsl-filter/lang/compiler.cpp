// Modules, and what all parts of the function compiler use: registers, instructions, constants.
#include "vsl-filter/lang/compiler.h"

#include <algorithm>

#include "vsl-filter/lang/ast_walk.h"
#include "vsl-filter/lang/compiler_function.h"

namespace vsl {

void Compiler::compile() {
  for (const Module& module : modules_.all) compile(module);
}

std::uint32_t Compiler::new_slot(std::string_view name) {
  program_.slots_.push_back(Value::absent());
  program_.slot_names_.emplace_back(name);
  return static_cast<std::uint32_t>(program_.slots_.size() - 1);
}

void Compiler::compile(const Module& module) {
  const ast::Script& script = module.tree->script;
  program_.modules_.push_back(std::make_unique<ModuleCode>());
  module_ = program_.modules_.back().get();
  module_->source = module.source->id();
  // Calls may precede definitions: all functions exist before any is compiled.
  for (ast::Function* function : script.functions) {
    auto code = std::make_unique<Code>();
    code->name = function->name;
    code->parameters = static_cast<std::uint16_t>(function->body.parameters.size());
    code->is_private = function->is_private;
    code->module = module_;
    code->source = module_->source;
    function->slot = static_cast<std::int32_t>(module_->functions.size());
    module_->functions.push_back(std::move(code));
  }
  for (const ast::Import* import : script.imports)
    if (import->is_top_level && !import->alias.empty() && import->module >= 0)
      module_->imports.push_back({std::string(import->alias), program_.modules_[static_cast<std::size_t>(import->module)].get()});
  module_->top_level = std::make_unique<Code>();
  module_->top_level->module = module_;
  module_->top_level->source = module_->source;
  // The top level first: functions read its constants from the slots that it gives them.
  FunctionCompiler(*this, *module_->top_level, script.body, nullptr).compile_top_level(script);
  for (std::size_t i = 0; i < script.functions.size(); ++i)
    FunctionCompiler(*this, *module_->functions[i], script.functions[i]->body, nullptr).compile_function();
}

void FunctionCompiler::begin() {
  is_variable_.assign(8, false);
  const bool is_closure = outer_ != nullptr;
  code_.parameters = static_cast<std::uint16_t>(body_.parameters.size());
  next_ = static_cast<Register>(1 + body_.parameters.size());
  if (is_closure) {
    for (const ast::Variable* variable : body_.captures)
      if (!is_slot(*variable)) captures_.emplace(variable, next_++);
    code_.captures = static_cast<std::uint16_t>(next_ - 1 - body_.parameters.size());
  }
  code_.registers = next_;
  Register home = 1;
  for (ast::Variable* parameter : body_.parameters) bind_parameter(*parameter, home++);
  if (body_.code != nullptr) reserve_declarations(*body_.code);
}

void FunctionCompiler::compile_function() {
  begin();
  tail(*body_.code);
}

void FunctionCompiler::compile_top_level(const ast::Script& script) {
  begin();
  Label end;
  epilogue_ = &end;
  const Register value = temporary();
  {
    At at(*this, body_.code->span);
    unit(value);
  }
  statement(*body_.code, value);
  place(end);
  At at(*this, {code_.source, 0, 0});
  for (const ast::ExportItem& item : script.exports) {
    const std::string_view name = item.as.empty() ? item.name : item.as;
    if (item.variable == nullptr) continue;
    if (is_slot(*item.variable)) {
      unit_.module_->exports.push_back({std::string(name), static_cast<std::uint32_t>(item.variable->slot)});
      continue;
    }
    if (item.variable->slot < 0) continue;
    const Register copy = temporary();
    read_variable(*item.variable, copy);
    const std::uint32_t slot = unit_.new_slot(name);
    emit_wide(Op::StoreSlot, copy, static_cast<std::int32_t>(slot));
    unit_.module_->exports.push_back({std::string(name), slot});
  }
  emit(Op::Return, value);
}

// Declarations inside expressions (an object in a group) are variables of the enclosing block: they get registers that no temporary
// of the expression takes.
void FunctionCompiler::reserve_declarations(Node& node) {
  if (node.kind == ast::Kind::Closure) return;
  if (node.kind == ast::Kind::Declaration) {
    ast::Variable& variable = *ast::as<ast::Declaration>(node).variable;
    if (!is_slot(variable)) {
      variable.slot = temporary();
      is_variable_[static_cast<std::size_t>(variable.slot)] = true;
    }
  }
  ast::for_each_child(node, [this](Node*& child) { reserve_declarations(*child); });
}

FunctionCompiler::Register FunctionCompiler::temporary() {
  if (next_ >= 0xFF00) {
    unit_.diagnostics_.error({code_.source, span_.begin, span_.end}, "this function has too many variables");
    next_ = 1;
  }
  const Register r = next_++;
  code_.registers = std::max(code_.registers, next_);
  if (is_variable_.size() <= r) is_variable_.resize(r + 16, false);
  is_variable_[r] = false;
  return r;
}

std::size_t FunctionCompiler::emit(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint8_t d) {
  Instruction instruction{op, d, static_cast<std::uint16_t>(a), {}};
  instruction.two = {static_cast<std::uint16_t>(b), static_cast<std::uint16_t>(c)};
  code_.instructions.push_back(instruction);
  code_.spans.push_back(span_);
  return here() - 1;
}

std::size_t FunctionCompiler::emit_wide(Op op, std::uint32_t a, std::int32_t offset) {
  const std::size_t at = emit(op, a);
  code_.instructions[at].offset = offset;
  return at;
}

namespace {

bool has_wide_offset(Op op) {
  return op == Op::Jump || op == Op::Again || op == Op::JumpIf || op == Op::JumpIfNot || op == Op::JumpIfUnit || op == Op::JumpUnlessUnit;
}

}  // namespace

void FunctionCompiler::jump(Op op, Label& label, std::uint32_t a, std::uint32_t b) {
  const std::size_t at = emit(op, a, b);
  if (label.place)
    patch(at, *label.place);
  else
    label.uses.push_back(at);
}

void FunctionCompiler::again(std::size_t target) { patch(emit(Op::Again, 0), target); }

void FunctionCompiler::place(Label& label) {
  label.place = here();
  for (const std::size_t use : label.uses) patch(use, here());
  label.uses.clear();
}

void FunctionCompiler::patch(std::size_t at, std::size_t target) {
  constexpr std::int64_t kFarthest = 1 << 23;
  Instruction& instruction = code_.instructions[at];
  const std::int64_t offset = static_cast<std::int64_t>(target) - static_cast<std::int64_t>(at) - 1;
  if (has_wide_offset(instruction.op)) {
    instruction.offset = static_cast<std::int32_t>(offset);
    return;
  }
  if (offset >= kFarthest || offset < -kFarthest) {
    unit_.diagnostics_.error({code_.source, span_.begin, span_.end}, "this function is too large");
    return;
  }
  instruction.d = static_cast<std::uint8_t>(offset & 0xFF);
  instruction.two.c = static_cast<std::uint16_t>(offset >> 8);
}

Value FunctionCompiler::text(std::string_view octets) { return unit_.program_.heap_.string(octets); }

std::size_t FunctionCompiler::constant_index(const Value& value) {
  std::string key(1, static_cast<char>(value.tag()));
  if (value.is_string())
    key += value.as_text();
  else
    key.append(reinterpret_cast<const char*>(value.words() + 1), sizeof(std::uint64_t));
  const auto [known, is_new] = constants_.try_emplace(std::move(key), code_.constants.size());
  if (is_new) {
    Value frozen = value;
    Heap::freeze({&frozen, 1});
    code_.constants.push_back(std::move(frozen));
  }
  return known->second;
}

void FunctionCompiler::load_constant(Register target, const Value& value) {
  if (target == kNone) return;
  if (value.is_unit())
    emit(Op::LoadUnit, target);
  else if (value.is_bool())
    emit(Op::LoadBool, target, value.as_bool() ? 1 : 0);
  else if (value.is_int() && value.as_int() >= INT32_MIN && value.as_int() <= INT32_MAX)
    emit_wide(Op::LoadInt, target, static_cast<std::int32_t>(value.as_int()));
  else
    emit_wide(Op::LoadConstant, target, static_cast<std::int32_t>(constant_index(value)));
}

std::size_t FunctionCompiler::field_index(std::string_view name) {
  const auto [known, is_new] = fields_.try_emplace(name, code_.fields.size());
  if (is_new) {
    Value key = text(name);
    Heap::freeze({&key, 1});
    known->second = add_row(code_.fields, Field{std::move(key), unit_.program_.natives().find("", name, 1)});
  }
  return known->second;
}

void FunctionCompiler::raise(ErrorKind kind, std::string message) {
  emit(Op::Raise, 0, 0, static_cast<std::uint32_t>(add_row(code_.failures, RaisedFailure{kind, std::move(message)})));
}

void FunctionCompiler::unit(Register target) {
  if (target != kNone) emit(Op::LoadUnit, target);
}

}  // namespace vsl
