#include "vsl-filter/lang/nearest.h"

#include <algorithm>
#include <array>

namespace vsl {
namespace {

constexpr std::size_t kLongest = 64;  // longer names are not compared
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::size_t edit_distance(std::string_view from, std::string_view to, std::size_t most) {
  if (from.size() > kLongest || to.size() > kLongest) return most + 1;
  if (std::max(from.size(), to.size()) - std::min(from.size(), to.size()) > most) return most + 1;
  using Row = std::array<std::size_t, kLongest + 1>;
  Row before{};  // two rows up, for swaps
  Row above{};
  Row row{};
  for (std::size_t j = 0; j <= to.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (lower(from[i - 1]) != lower(to[j - 1]));
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    if (least > most) return most + 1;
    before = above;
    above = row;
  }
  return above[to.size()];
}

void Nearest::see(std::string_view name) {
  const bool is_first = name_.empty();
  const std::size_t distance = edit_distance(wanted_, name, is_first ? best_ : best_ - (best_ > 0));
  if (distance > best_ || (!is_first && distance >= best_)) return;
  if (distance >= std::max(wanted_.size(), std::size_t{1})) return;  // nothing in common
  best_ = distance;
  name_ = name;
}

std::string Nearest::suggestion(std::string_view prefix) const {
  return name_.empty() ? std::string() : "did you mean `" + std::string(prefix) + std::string(name_) + "`?";
}

}  // namespace vsl
