#include "lib/lint/findings.h"

#include <algorithm>
#include <numeric>

#include "lib/base/utf8.h"

namespace lint {
namespace {

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(std::max<std::size_t>(base::utf8::sequence_octets(text), 1));
  return count;
}

}  // namespace

void Findings::add(Id id, std::size_t offset, std::size_t length, std::string detail) {
  if (disabled_.test(index(id))) return;
  if (++counts_[index(id)] > limits_.of_a_kind) return;
  // What is worse than a note is not crowded out by notes: they give way below.
  kept_.push_back({id, offset, length, std::move(detail), 0, 0});
}

void Findings::finish(std::string_view message) {
  const auto severity = [](const Finding& finding) { return row_of(finding.id).severity; };
  if (kept_.size() > limits_.in_all) {
    std::ranges::stable_sort(kept_, std::ranges::greater(), severity);
    kept_.resize(limits_.in_all);
  }
  std::ranges::stable_sort(kept_, {}, &Finding::offset);
  std::size_t line = 1, line_start = 0;
  for (auto& finding : kept_) {
    finding.offset = std::min(finding.offset, message.size());
    for (auto feed = message.find('\n', line_start); feed < finding.offset; feed = message.find('\n', line_start)) {
      ++line;
      line_start = feed + 1;
    }
    finding.line = line;
    finding.column = characters(message.substr(line_start, finding.offset - line_start)) + 1;
  }
}

std::size_t Findings::count(Severity severity) const {
  std::size_t sum = 0;
  for (const auto& row : kRows)
    if (row.severity == severity) sum += counts_[index(row.id)];
  return sum;
}

bool Findings::has(Severity least) const {
  return std::ranges::any_of(kRows, [&](const Row& row) { return row.severity >= least && counts_[index(row.id)] > 0; });
}

std::size_t Findings::dropped() const { return std::accumulate(counts_.begin(), counts_.end(), std::size_t{0}) - kept_.size(); }

const Finding* Findings::first(Severity least) const {
  const auto found = std::ranges::find_if(kept_, [&](const Finding& finding) { return row_of(finding.id).severity >= least; });
  return found == kept_.end() ? nullptr : &*found;
}

}  // namespace lint
