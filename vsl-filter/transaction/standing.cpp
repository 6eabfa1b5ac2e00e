#include "vsl-filter/transaction/standing.h"

#include <algorithm>

#include "lib/base/text.h"

namespace rules {

Standing::Counts counts_of(std::string_view text) {
  Standing::Counts counts{};
  base::text::for_words(text, [&](std::string_view word) {
    const auto [name, value] = base::text::split_once(word, '=');
    const auto known = std::ranges::find(kCountNames, name);
    if (known != kCountNames.end()) counts[static_cast<std::size_t>(known - kCountNames.begin())] = base::text::parse_number<std::int64_t>(value).value_or(0);
  });
  return counts;
}

}  // namespace rules
