#include "qctl/ages.h"

#include <algorithm>

#include "lib/base/json_text.h"
#include "qctl/display.h"

namespace qctl {
namespace {

// As qshape has them; both grow with what they hold.
constexpr std::size_t kNameWidth = 20;
constexpr std::size_t kCountWidth = 5;
constexpr std::string_view kTotal = "TOTAL";

std::string right(std::string_view text, std::size_t width) {
  const std::size_t columns = display_columns(text);
  return std::string(width > columns ? width - columns : 0, ' ') + std::string(text);
}

std::string count_text(std::uint64_t count, std::string_view empty) { return count == 0 ? std::string(empty) : std::to_string(count); }

// One line of the table. `width` is the count columns', a blank always parts them.
std::string line(std::string_view name, std::size_t name_width, const AgeCounts& counts, std::size_t width, std::string_view empty) {
  std::string text = right(name, name_width) + right(count_text(counts.total, empty), width);
  for (const auto count : counts.by_age) text += right(count_text(count, empty), width);
  return text + '\n';
}

std::string title_line(std::size_t name_width, std::size_t width) {
  std::string text = right("T", name_width + width);
  for (std::size_t column = 0; column < kAgeColumns; ++column) text += right(age_title(column), width + (column + 1 == kAgeColumns ? 1 : 0));
  return text + '\n';
}

void append_counts(std::string& out, const AgeCounts& counts) {
  base::json::append_member(out, "messages", static_cast<long long>(counts.total));
  base::json::append_name(out, "ages");
  out += '{';
  for (std::size_t column = 0; column < kAgeColumns; ++column)
    base::json::append_member(out, age_title(column), static_cast<long long>(counts.by_age[column]));
  out += '}';
}

}  // namespace

std::string age_title(std::size_t column) {
  return column < kAgeLimits.size() ? std::to_string(kAgeLimits[column]) : std::to_string(kAgeLimits.back()) + "+";
}

void AgeCounts::add(std::chrono::seconds age) {
  ++total;
  ++by_age[age_column(age)];
}

void AgeCounts::add(const AgeCounts& other) {
  total += other.total;
  for (std::size_t column = 0; column < kAgeColumns; ++column) by_age[column] += other.by_age[column];
}

void AgeTable::add(std::chrono::seconds age, const std::vector<std::string>& names) {
  total_.add(age);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) == names.begin() + static_cast<std::ptrdiff_t>(i))
      by_name_[names[i]].add(age);
}

void AgeTable::take_for_sample_of(const AgeCounts& whole) {
  const auto part = std::max<std::uint64_t>(total_.total, 1);
  for (auto& [name, counts] : by_name_) {
    AgeCounts scaled;
    for (std::size_t column = 0; column < kAgeColumns; ++column) {
      scaled.by_age[column] = (counts.by_age[column] * whole.total + part / 2) / part;
      scaled.total += scaled.by_age[column];
    }
    counts = scaled;
  }
  total_ = whole;
}

std::vector<AgeRow> AgeTable::rows(std::size_t limit) const {
  std::vector<AgeRow> rows;
  rows.reserve(by_name_.size());
  for (const auto& [name, counts] : by_name_) rows.push_back({name, counts});
  std::ranges::stable_sort(rows, std::ranges::greater(), [](const AgeRow& row) { return row.counts.total; });
  if (limit != 0 && rows.size() > limit) rows.resize(limit);
  return rows;
}

std::string to_text(const AgeTable& table, const AgeLayout& layout) {
  const auto rows = table.rows(layout.rows);
  const std::size_t width = std::max(kCountWidth, std::to_string(table.total().total).size() + 1);
  const std::size_t counts_width = width * (kAgeColumns + 1) + 1;

  std::size_t name_width = kNameWidth;
  std::vector<std::string> names;
  for (const auto& row : rows) {
    names.push_back(printable_text(row.name, layout.utf8));
    name_width = std::max(name_width, display_columns(names.back()));
  }
  if (layout.width != 0) name_width = std::clamp(layout.width > counts_width ? layout.width - counts_width : 0, kNameWidth, name_width);

  std::string text = title_line(name_width, width) + line(kTotal, name_width, table.total(), width, layout.empty);
  for (std::size_t i = 0; i < rows.size(); ++i)
    text += line(fitted(names[i], name_width, layout.utf8), name_width, rows[i].counts, width, layout.empty);
  if (const std::size_t left_out = table.names() - rows.size(); left_out != 0)
    text += right("(" + std::to_string(left_out) + " more)", name_width) + '\n';
  return text;
}

void append_json(std::string& out, const AgeTable& table, std::size_t limit) {
  append_counts(out, table.total());
  base::json::append_name(out, "rows");
  out += '[';
  for (const auto& row : table.rows(limit)) {
    if (out.back() != '[') out += ',';
    out += '{';
    base::json::append_member(out, "name", row.name);
    append_counts(out, row.counts);
    out += '}';
  }
  out += ']';
}

}  // namespace qctl
