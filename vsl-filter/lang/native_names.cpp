#include "vsl-filter/lang/native_names.h"

#include <algorithm>

namespace vsl {

bool NativeNames::has_function(std::string_view path, std::string_view name, std::size_t arguments) const {
  return natives_.find(path, name, arguments) != nullptr;
}

bool NativeNames::has_value(std::string_view path, std::string_view name) const {
  if (natives_.constant(path, name) != nullptr) return true;
  const Overloads* found = natives_.find(path, name, 0);
  return found != nullptr && std::ranges::any_of(found->rows, [](const NativeRow* row) { return (row->flags & kConstant) != 0; });
}

// Of all numbers of arguments alike: the flag says what a function is for.
bool NativeNames::is_result_needed(std::string_view path, std::string_view name) const {
  for (std::size_t count = 0; count <= Parameters::kMost; ++count) {
    const Overloads* found = natives_.find(path, name, count);
    if (found != nullptr) return std::ranges::all_of(found->rows, [](const NativeRow* row) { return (row->flags & kMustUse) != 0; });
  }
  return false;
}

void NativeNames::each(std::string_view path, const std::function<void(std::string_view, std::size_t)>& see) const {
  const auto show = [&see](const NativeRow& row, std::string_view name) {
    see(name, row.parameters.count);
    if ((row.flags & kConstant) != 0) see(name, kValue);
  };
  for (const NativeRow* row : natives_.rows()) {
    if (row->space != path) continue;
    show(*row, row->name);
    for (std::string_view rest = row->aliases; !rest.empty();) {
      const auto end = std::min(rest.find(' '), rest.size());
      if (end > 0) show(*row, rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  for (const NativeConstant& constant : natives_.constants()) {
    if (constant.space == path) see(constant.name, kValue);
  }
}

void NativeNames::each_namespace(const std::function<void(std::string_view)>& see) const {
  std::string_view last;
  for (const NativeRow* row : natives_.rows()) {
    if (!row->space.empty() && row->space != last) see(last = row->space);
  }
  for (const NativeConstant& constant : natives_.constants()) {
    if (!constant.space.empty()) see(constant.space);
  }
}

}  // namespace vsl
