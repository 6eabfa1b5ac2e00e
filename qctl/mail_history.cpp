#include "qctl/mail_history.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lib/base/text.h"

namespace qctl {
namespace {

using namespace std::chrono_literals;
constexpr auto kLengths = std::to_array<std::chrono::seconds>(
    {1s, 2s, 5s, 10s, 15s, 30s, 1min, 2min, 5min, 10min, 15min, 30min, 1h, 2h, 3h, 6h, 12h, 24h, 48h, 7 * 24h, 28 * 24h, 365 * 24h});
constexpr std::size_t kMostNames = 100'000;  // of strangers: more are counted together
constexpr std::string_view kOthers = "(others)";

struct StatusRow {
  std::string_view name;
  Outcome result;
};
constexpr auto kStatuses = std::to_array<StatusRow>({{"sent", Outcome::Sent}, {"deferred", Outcome::Deferred}, {"failed", Outcome::Failed}});

double percentile(const std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(static_cast<std::size_t>(share * static_cast<double>(sorted.size())), sorted.size() - 1)];
}

}  // namespace

void MailHistory::see(base::WallTime time) {
  ++lines_;
  first_ = std::min(first_, time);
  last_ = std::max(last_, time);
}

void MailHistory::add(std::string_view text) {
  // Most lines of a log tell of something else.
  if (!text.contains("accepted") && !text.contains("delivery")) return;
  const auto line = parse_log_line(text);
  if (!line) return;
  if (line->event == "accepted" && line->program == "smtpd") {
    see(line->time);
    accepted_.push_back(line->time);
    octets_ += base::text::parse_number<std::uint64_t>(line->field("size")).value_or(0);
  } else if (line->event == "delivery" && line->program == "queue-run") {
    add_delivery(*line);
  }
}

void MailHistory::add_delivery(const LogLine& line) {
  const auto* status = std::ranges::find(kStatuses, line.field("status"), &StatusRow::name);
  if (status == kStatuses.end()) return;
  see(line.time);
  const auto count = [&](Names& names, std::string_view name) {
    if (name.empty()) return;
    const auto known = names.find(name);
    auto& counts = known != names.end() ? known->second : names[std::string(names.size() < kMostNames ? name : kOthers)];
    ++counts[static_cast<std::size_t>(status->result)];
  };
  const float delay = std::strtof(std::string(line.field("delay")).c_str(), nullptr);
  attempts_.push_back({line.time, status->result, std::isfinite(delay) ? std::max(delay, 0.0F) : 0.0F});
  const auto destination = line.field("destination");
  count(destinations_, destination.empty() ? line.field("transport") : destination);
  if (status->result != Outcome::Sent) count(reasons_, line.field("reply"));
}

ResultCounts MailHistory::results() const {
  ResultCounts counts{};
  for (const auto& attempt : attempts_) ++counts[static_cast<std::size_t>(attempt.result)];
  return counts;
}

std::vector<Piece> MailHistory::pieces(std::size_t most) {
  if (lines_ == 0) return {};
  // In seconds from the beginning: all the years that a clock may say are too many nanoseconds.
  const auto span = std::chrono::floor<std::chrono::seconds>(last_).time_since_epoch() - std::chrono::floor<std::chrono::seconds>(first_).time_since_epoch() + 1s;
  const auto* length = std::ranges::find_if(kLengths, [&](auto each) { return span / each + 2 <= static_cast<std::int64_t>(most); });
  piece_ = length == kLengths.end() ? kLengths.back() : *length;
  const auto index_of = [&](base::WallTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch() / piece_; };
  const auto first = index_of(first_);
  begin_ = base::WallTime(first * piece_);
  // The clock of some line may be far off: then the plot ends before it.
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(index_of(last_) - first) + 1, most);
  std::vector<Piece> pieces(count);
  std::vector<std::vector<float>> delays(count);
  const auto place_of = [&](base::WallTime time) { return static_cast<std::size_t>(index_of(time) - first); };
  for (const auto time : accepted_)
    if (const auto i = place_of(time); i < count) ++pieces[i].accepted;
  for (const auto& attempt : attempts_) {
    const auto i = place_of(attempt.time);
    if (i >= count) continue;
    ++pieces[i].results[static_cast<std::size_t>(attempt.result)];
    if (attempt.result == Outcome::Sent) delays[i].push_back(attempt.seconds);
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::ranges::sort(delays[i]);
    pieces[i].delays = {percentile(delays[i], 0.5), percentile(delays[i], 0.9), percentile(delays[i], 0.99)};
  }
  return pieces;
}

std::vector<Named> MailHistory::most_frequent(const Names& names, std::size_t most) {
  std::vector<Named> all;
  all.reserve(names.size());
  for (const auto& [name, results] : names) all.push_back({name, results});
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
  std::ranges::partial_sort(all, end, [](const Named& a, const Named& b) { return std::pair(b.total(), std::string_view(a.name)) < std::pair(a.total(), std::string_view(b.name)); });
  all.erase(end, all.end());
  return all;
}

}  // namespace qctl
