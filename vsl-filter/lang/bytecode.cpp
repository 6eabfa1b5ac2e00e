#include "vsl-filter/lang/bytecode.h"

#include <algorithm>

#include "vsl-filter/lang/text.h"

namespace vsl {

namespace {

constexpr std::string_view kNames[] = {
#define VSL_TEXT(name) #name,
    VSL_OPERATIONS(VSL_TEXT)
#undef VSL_TEXT
};

}  // namespace

const Code* ModuleCode::find(std::string_view name, std::size_t parameters) const {
  const auto found = std::ranges::find_if(functions, [&](const auto& f) { return f->parameters == parameters && f->name == name; });
  return found == functions.end() ? nullptr : found->get();
}

// The last one counts: a redeclaration shadows.
const ModuleCode::Export* ModuleCode::find_export(std::string_view name) const {
  const auto found = std::find_if(exports.rbegin(), exports.rend(), [&](const Export& e) { return e.name == name; });
  return found == exports.rend() ? nullptr : &*found;
}

const ModuleCode* ModuleCode::find_import(std::string_view alias) const {
  const auto found = std::find_if(imports.rbegin(), imports.rend(), [&](const Import& i) { return i.alias == alias; });
  return found == imports.rend() ? nullptr : found->module;
}

std::uint32_t SwitchTable::target_of(std::int64_t number) const {
  const auto found = std::ranges::lower_bound(numbers, number, {}, &Number::label);
  return found == numbers.end() || found->label != number ? otherwise : found->target;
}

std::uint32_t SwitchTable::target_of(std::string_view text) const {
  const auto found = std::ranges::lower_bound(texts, text, {}, [](const Text& t) -> std::string_view { return t.label; });
  return found == texts.end() || found->label != text ? otherwise : found->target;
}

std::string disassemble(const Code& code) {
  std::string out = (code.name.empty() ? std::string("top level") : code.name) + ": " + std::to_string(code.parameters) + " parameters, " +
                    std::to_string(code.registers) + " registers\n";
  for (std::size_t at = 0; at < code.instructions.size(); ++at) {
    const Instruction& i = code.instructions[at];
    out += std::to_string(at) + "\t" + std::string(kNames[static_cast<std::size_t>(i.op)]) + "\t" + std::to_string(i.a) + " " +
           std::to_string(i.b()) + " " + std::to_string(i.c()) + " " + std::to_string(i.d);
    if (i.op == Op::LoadConstant) out += "\t; " + debug_of(code.constants[static_cast<std::size_t>(i.offset)]);
    if (i.op == Op::CallMethod || i.op == Op::CallPush) out += "\t; " + text_of(code.methods[i.c()].name);
    if (i.op == Op::CallNative) out += "\t; " + std::string(code.natives[i.c()].name);
    if (i.op == Op::Call) out += "\t; " + code.calls[i.c()]->name;
    if (i.op == Op::GetField || i.op == Op::SetField) out += "\t; " + text_of(code.fields[i.c()].name);
    out += '\n';
  }
  return out;
}

}  // namespace vsl
