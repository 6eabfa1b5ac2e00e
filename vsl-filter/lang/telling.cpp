// Telling of assignments: what a program that was loaded for it (LoadOptions::tells_assignments) reports to Sinks::assigned. Other
// programs have no such instructions.
#include <algorithm>

#include "vsl-filter/lang/compiler_function.h"
#include "vsl-filter/lang/machine.h"
#include "vsl-filter/lang/text.h"

namespace vsl {

namespace {

constexpr std::size_t kLongestKey = 40;  // octets of an index that are shown

}  // namespace

std::string_view Compiler::text_of(Span span) const { return modules_.sources.at(span.source).text(span); }

void FunctionCompiler::tell(std::string_view name, Register value) {
  if (!unit_.options_.tells_assignments) return;
  emit(Op::Tell, value, 0, static_cast<std::uint32_t>(add_row(code_.told, ToldPlace{std::string(name), {}, false})));
}

void FunctionCompiler::tell(const ast::Assign& node, Register value, const Place& place) {
  if (!unit_.options_.tells_assignments) return;
  const Node* root = node.target;
  while (root->kind == ast::Kind::Index || root->kind == ast::Kind::Property)
    root = root->kind == ast::Kind::Index ? ast::as<ast::Index>(*root).object : ast::as<ast::Property>(*root).object;
  // What an optional step skips is not told of.
  const bool is_read = node.is_compound || std::ranges::any_of(place.steps, &Step::is_optional);
  ToldPlace told{std::string(unit_.text_of(root->span)), place, is_read};
  emit(Op::Tell, value, 0, static_cast<std::uint32_t>(add_row(code_.told, std::move(told))));
}

void Machine::tell(const ToldPlace& told, Value* base, const Value& home) {
  const auto& sink = run_.sinks_.assigned;
  if (!sink) return;
  std::string name = told.name;
  for (const Step& step : told.place.steps) {
    if (step.is_optional) name += '?';
    if (step.is_index)
      name += '[' + shortened_debug_of(base[step.index], kLongestKey) + ']';
    else
      (name += '.') += step.key.as_text();
  }
  if (!told.is_read) return sink(name, home.is(Tag::Cell) ? home.as_cell().value : home, where());
  bool is_skipped = false;
  const Result value = read_place(told.place, base, is_skipped);
  if (value && !is_skipped) sink(name, *value, where());
}

}  // namespace vsl
