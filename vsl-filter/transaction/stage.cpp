#include "vsl-filter/transaction/stage.h"

#include <algorithm>

#include "lib/base/text.h"

namespace rules {

static_assert(std::ranges::is_sorted(kStages, {}, &StageRow::stage), "found by number");

std::optional<Stage> stage_of(std::string_view name_or_alias) {
  for (const StageRow& row : kStages) {
    if (row.name == name_or_alias) return row.stage;
    for (const std::string_view alias : base::text::split(row.aliases, ' '))
      if (alias == name_or_alias) return row.stage;
  }
  return std::nullopt;
}

}  // namespace rules
