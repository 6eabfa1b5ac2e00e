#include "lib/queue/progress.h"

#include <array>

#include "lib/base/text.h"

namespace queue {
namespace {

namespace text = base::text;

struct KindRow {
  EventKind kind;
  std::string_view name;
  bool settles;    // the recipient needs nothing more
  bool must_last;  // a power cut must not take it
};
constexpr auto kKinds = std::to_array<KindRow>({
    {EventKind::Sent,     "sent",     true,  true},
    {EventKind::Deferred, "deferred", false, false},
    {EventKind::Failed,   "failed",   true,  true},
    {EventKind::Expanded, "expanded", true,  true},
    {EventKind::Note,     "note",     false, false},
    {EventKind::Finished, "finished", false, false},
    {EventKind::Relayed,  "relayed",  true,  true},
    {EventKind::Passed,   "passed",   true,  true},
    {EventKind::Notice,   "notice",   false, true},
    {EventKind::Noticed,  "noticed",  false, true},
    {EventKind::Ruled,    "ruled",    false, false},
    {EventKind::Unruled,  "unruled",  false, true},
    {EventKind::Delegated, "delegated", false, false},
    {EventKind::Handed,   "handed",   false, false},
    {EventKind::Back,     "back",     false, false},
});
static_assert([] {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  return true;
}());

constexpr std::size_t kMaxWordOctets = 1100, kMaxTextOctets = 2000;

const KindRow& row_of(EventKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

// A field that can be told from its neighbours.
void append_word(std::string& out, std::string_view field) {
  if (field.empty()) {
    out += " -";
    return;
  }
  out += ' ';
  for (const char c : text::printable(field, kMaxWordOctets)) {
    if (c == ' ') out += "\\x20";
    else out += c;
  }
}

std::string_view next_word(std::string_view& line) {
  const auto [word, rest] = text::split_once(line, ' ');
  line = rest;
  return word;
}
std::string field_of(std::string_view word) { return word == "-" ? std::string() : std::string(word); }

}  // namespace

std::string to_line(const Event& event) {
  std::string out = base::to_rfc3339(event.time);
  out.append(" ").append(row_of(event.kind).name).append(" ");
  out += event.recipient ? std::to_string(*event.recipient + 1) : "*";
  append_word(out, event.destination);
  append_word(out, event.address);
  out += ' ';
  out += event.text.empty() ? "-" : text::printable(event.text, kMaxTextOctets);
  out += '\n';
  return out;
}

std::optional<Event> parse_event(std::string_view line) {
  Event event;
  const auto time = base::parse_rfc3339(next_word(line));
  if (!time) return std::nullopt;
  event.time = *time;

  const auto kind = next_word(line);
  const KindRow* known = nullptr;
  for (const auto& row : kKinds)
    if (row.name == kind) known = &row;
  if (known == nullptr) return std::nullopt;
  event.kind = known->kind;

  if (const auto recipient = next_word(line); recipient != "*") {
    const auto number = text::parse_number<std::size_t>(recipient);
    if (!number || *number == 0) return std::nullopt;
    event.recipient = *number - 1;
  }
  const auto destination = next_word(line), address = next_word(line);
  if (line.empty()) return std::nullopt;  // torn: the text is "-" when there is none
  event.destination = field_of(destination);
  event.address = field_of(address);
  event.text = field_of(line);
  return event;
}

std::vector<Event> parse_events(std::string_view octets) {
  std::vector<Event> events;
  for (auto end = octets.find('\n'); end != std::string_view::npos; end = octets.find('\n')) {
    if (auto event = parse_event(octets.substr(0, end))) events.push_back(std::move(*event));
    octets.remove_prefix(end + 1);
  }
  return events;
}

bool settles(EventKind kind) { return row_of(kind).settles; }
bool must_last(EventKind kind) { return row_of(kind).must_last; }

std::vector<RecipientProgress> sum_up(std::span<const Event> events, std::size_t recipients) {
  std::vector<RecipientProgress> progress(recipients);
  for (const auto& event : events) {
    if (!event.recipient || *event.recipient >= recipients || event.kind == EventKind::Notice) continue;
    auto& one = progress[*event.recipient];
    one.is_settled = one.is_settled || settles(event.kind);
    if (event.kind == EventKind::Deferred) ++one.deferrals;
    one.last = event;
  }
  return progress;
}

}  // namespace queue
