#include "qctl/top_view.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "qctl/display.h"

namespace qctl {
namespace {

using Lines = std::vector<std::string>;
using Destination = RunStatus::Destination;
constexpr std::size_t kDestinationRows = 8;
constexpr std::size_t kNameColumns = 24;

struct SortRow {
  TopView::Sort sort;
  std::string_view name;
  bool (*is_before)(const Destination&, const Destination&);
};
constexpr auto kSorts = std::to_array<SortRow>({
    {TopView::Sort::Calls, "calls", [](const Destination& a, const Destination& b) { return std::pair(b.open + b.waiting, a.host) < std::pair(a.open + a.waiting, b.host); }},
    {TopView::Sort::Suspended, "pause", [](const Destination& a, const Destination& b) { return std::pair(b.suspended_seconds, a.host) < std::pair(a.suspended_seconds, b.host); }},
    {TopView::Sort::Host, "name", [](const Destination& a, const Destination& b) { return a.host < b.host; }},
});

struct TableRow {
  TopView::Table table;
  std::string_view title;
  AgeTable Snapshot::*ages;
};
constexpr auto kTables = std::to_array<TableRow>({
    {TopView::Table::Reasons, "REASON", &Snapshot::reasons},
    {TopView::Table::Domains, "DOMAIN", &Snapshot::domains},
    {TopView::Table::Senders, "SENDER", &Snapshot::senders},
});

template <class Rows, class Value>
const auto& row_of(const Rows& rows, Value value) {
  return rows[static_cast<std::size_t>(value)];
}

std::string right(const std::string& text, std::size_t width) { return std::string(width > text.size() ? width - text.size() : 0, ' ') + text; }

std::string rate(double a_second) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), a_second < 99.95 ? "%.1f" : "%.0f", a_second);
  return std::string(text.data()) + "/s";
}

std::string clock_of(base::WallTime time) { return base::to_rfc3339(time).substr(11, 8); }

class Screenful {
 public:
  Screenful(const Output& out, std::size_t columns, std::size_t rows) : out_(out), columns_(columns), rows_(rows) {}

  void add(std::string_view text, Output::Style style = Output::Style::Plain) {
    if (rows_ != 0 && lines.size() >= rows_) return;
    lines.push_back(out_.styled(columns_ == 0 ? std::string(text) : fitted(text, columns_, utf8()), style));
  }
  [[nodiscard]] std::size_t rows_left() const { return rows_ == 0 ? ~std::size_t{0} : rows_ - lines.size(); }
  [[nodiscard]] bool utf8() const { return out_.screen().utf8; }

  Lines lines;

 private:
  const Output& out_;
  std::size_t columns_, rows_;
};

void add_head(Screenful& screen, const Snapshot& snapshot, const std::optional<Rates>& rates) {
  std::string head = "qctl top  " + clock_of(snapshot.time) + " UTC  " + printable_text(snapshot.spool, screen.utf8());
  if (!snapshot.is_served) {
    screen.add(head, Output::Style::Strong);
    screen.add("no queue-run serves the spool: nothing is delivered", Output::Style::Yellow);
    return;
  }
  if (!snapshot.running) {
    screen.add(head, Output::Style::Strong);
    screen.add("queue-run does not answer", Output::Style::Yellow);
    return;
  }
  const auto& run = *snapshot.running;
  screen.add(head + "  queue-run " + std::to_string(run.pid), Output::Style::Strong);
  if (rates) {
    screen.add("in " + rate(rates->taken) + "  sent " + rate(rates->sent) + "  put off " + rate(rates->deferred) + "  failed " + rate(rates->failed));
  } else {
    screen.add("since its start: in " + std::to_string(run.taken) + ", sent " + std::to_string(run.sent) + ", put off " + std::to_string(run.put_off) + ", failed " +
               std::to_string(run.failed));
  }
  screen.add("in hand " + std::to_string(run.messages) + " messages, calls " + std::to_string(run.calls_open) + " open, " + std::to_string(run.calls_waiting) + " waiting" +
                 (run.unrecorded > 0 ? ", " + std::to_string(run.unrecorded) + " results cannot be recorded" : ""),
             run.unrecorded > 0 ? Output::Style::Red : Output::Style::Plain);
}

void add_queues(Screenful& screen, const Snapshot& snapshot) {
  screen.add("");
  screen.add(padded("QUEUE", kNameColumns, screen.utf8()) + " MESSAGES   SIZE  OLDEST      DUE", Output::Style::Faint);
  for (const auto& count : snapshot.queues) {
    const bool is_deferred = count.place.state == queue::State::Deferred;
    std::string line = padded(count.place.folder(), kNameColumns, screen.utf8()) + " " + right(std::to_string(count.messages), 8) + " " + right(human_octets(count.octets), 6) + " ";
    line += right(count.oldest ? human_duration(std::chrono::duration_cast<std::chrono::seconds>(snapshot.time - *count.oldest)) : "-", 7);
    screen.add(line + " " + right(is_deferred ? std::to_string(count.due) : "-", 8), count.messages == 0 ? Output::Style::Faint : Output::Style::Plain);
  }
}

void add_destinations(Screenful& screen, const Snapshot& snapshot, TopView::Sort sort) {
  if (!snapshot.running || snapshot.running->destinations.empty()) return;
  const auto& order = row_of(kSorts, sort);
  auto destinations = snapshot.running->destinations;
  std::ranges::sort(destinations, order.is_before);
  screen.add("");
  screen.add(padded("DESTINATION by " + std::string(order.name), kNameColumns, screen.utf8()) + "     OPEN   WAIT WINDOW  PAUSED", Output::Style::Faint);
  for (std::size_t i = 0; i < std::min(destinations.size(), kDestinationRows); ++i) {
    const auto& each = destinations[i];
    const bool is_paused = each.suspended_seconds > 0;
    std::string line = padded(printable_text(each.host, screen.utf8()), kNameColumns, screen.utf8()) + " " + right(std::to_string(each.open), 8) + " " +
                       right(std::to_string(each.waiting), 6) + " " + right(std::to_string(each.window), 6) + " ";
    line += right(is_paused ? human_duration(std::chrono::seconds(each.suspended_seconds)) : "-", 7);
    screen.add(line + (each.reason.empty() ? "" : " " + printable_text(each.reason, screen.utf8())), is_paused ? Output::Style::Yellow : Output::Style::Plain);
  }
  if (destinations.size() > kDestinationRows) screen.add("(" + std::to_string(destinations.size() - kDestinationRows) + " more)", Output::Style::Faint);
}

void add_table(Screenful& screen, const Snapshot& snapshot, TopView::Table table) {
  const auto& row = row_of(kTables, table);
  if (snapshot.sampled == 0) return;
  const std::string of = snapshot.sampled >= kSampledMessages ? " of " + std::to_string(snapshot.sampled) + " waiting messages" : " of waiting messages";
  screen.add("");
  screen.add("MESSAGES  <80m >21h  " + std::string(row.title) + of, Output::Style::Faint);
  constexpr std::size_t kMostRows = 20;
  constexpr auto kYoung = age_column(std::chrono::minutes(80)), kOld = kAgeColumns - 1;
  for (const auto& each : (snapshot.*row.ages).rows(std::min(screen.rows_left(), kMostRows))) {
    std::uint64_t young = 0;
    for (std::size_t column = 0; column < kYoung; ++column) young += each.counts.by_age[column];
    screen.add(right(std::to_string(each.counts.total), 8) + right(std::to_string(young), 6) + right(std::to_string(each.counts.by_age[kOld]), 5) + "  " +
               printable_text(each.name.empty() ? "(none)" : each.name, screen.utf8()));
  }
}

static_assert([] {
  for (std::size_t i = 0; i < kSorts.size(); ++i)
    if (static_cast<std::size_t>(kSorts[i].sort) != i || static_cast<std::size_t>(kTables[i].table) != i) return false;
  return kSorts.size() == kTables.size();
}());

}  // namespace

Key press(TopView& view, char key) {
  switch (key) {
    case 'q':
    case 'Q':
    case '\x03':
    case '\x04': return Key::End;
    case ' ': return Key::Look;
    case 's': view.sort = static_cast<TopView::Sort>((static_cast<std::size_t>(view.sort) + 1) % kSorts.size()); return Key::Redraw;
    case 'b': view.table = static_cast<TopView::Table>((static_cast<std::size_t>(view.table) + 1) % kTables.size()); return Key::Redraw;
    case '\x0c': return Key::Redraw;
    default: return Key::Nothing;
  }
}

std::vector<std::string> render(const Snapshot& snapshot, const std::optional<Rates>& rates, const TopView& view, const Output& out, std::size_t columns, std::size_t rows) {
  Screenful screen(out, columns, rows);
  add_head(screen, snapshot, rates);
  add_queues(screen, snapshot);
  add_destinations(screen, snapshot, view.sort);
  add_table(screen, snapshot, view.table);
  return std::move(screen.lines);
}

}  // namespace qctl
