#include "lib/queue/place.h"

#include <algorithm>

#include "lib/base/text.h"

namespace queue {

bool Place::is_quarantine_name(std::string_view name) {
  const auto is_allowed = [](char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 64 && name.front() != '.' && std::ranges::all_of(name, is_allowed);
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
