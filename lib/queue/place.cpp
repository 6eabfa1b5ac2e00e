#include "lib/queue/place.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/queue/id.h"

namespace queue {

bool Place::is_quarantine_name(std::string_view name) {
  const auto is_allowed = [](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || c == '.' || c == '_' || c == '-'; };
  const auto names = base::text::split(name, '/');
  return !name.empty() && names.size() <= kMostQuarantineNames && std::ranges::all_of(names, [&](std::string_view each) {
           return !each.empty() && each.size() <= 64 && each.front() != '.' && std::ranges::all_of(each, is_allowed) && !Id::parse(each);
         });
}

std::optional<Place> Place::parse(std::string_view folder) {
  const auto [first, name] = base::text::split_once(folder, '/');
  for (const auto& row : kStates) {
    if (row.folder != first) continue;
    if (row.state == State::Quarantine ? is_quarantine_name(name) : folder == first) return Place{row.state, std::string(name)};
  }
  return std::nullopt;
}

std::string Place::folder() const {
  const std::string folder(kStates[static_cast<std::size_t>(state)].folder);
  return state == State::Quarantine ? folder + "/" + quarantine : folder;
}

}  // namespace queue
