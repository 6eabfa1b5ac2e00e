#include "vsl-filter/lang/program.h"

#include <algorithm>
#include <unordered_set>

#include "lib/base/text.h"

namespace vsl {
namespace {

using Names = std::unordered_set<std::string_view>;

Names names_of_flagged(const Natives& natives, std::uint16_t flag) {
  Names names;
  for (const NativeRow* row : natives.rows()) {
    if ((row->flags & flag) == 0 || !row->space.empty()) continue;  // only those without a namespace are called by their name alone
    names.insert(row->name);
    for (const std::string_view alias : base::text::split(row->aliases, ' ')) names.insert(alias);
  }
  names.erase("");
  return names;
}

bool mentions(const Code& code, std::uint16_t flag, const Names& names) {
  const auto is_flagged = [flag](const auto& use) {
    return use.native != nullptr && std::ranges::any_of(use.native->rows, [flag](const NativeRow* row) { return (row->flags & flag) != 0; });
  };
  return std::ranges::any_of(code.natives, is_flagged) || std::ranges::any_of(code.methods, is_flagged) || std::ranges::any_of(code.fields, is_flagged) ||
         std::ranges::any_of(code.constants, [&names](const Value& constant) { return constant.is_string() && names.contains(constant.as_text()); });
}

}  // namespace

bool mentions(const Program& program, std::uint16_t flag) {
  const Names names = names_of_flagged(program.natives(), flag);
  const auto mentions_it = [&](const std::unique_ptr<Code>& code) { return code != nullptr && mentions(*code, flag, names); };
  return std::ranges::any_of(program.modules(), [&](const auto& module) {
    return mentions_it(module->top_level) || std::ranges::any_of(module->functions, mentions_it) || std::ranges::any_of(module->closures, mentions_it);
  });
}

}  // namespace vsl
