#include "qctl/line.h"

#include <array>

#include "lib/base/json_text.h"
#include "qctl/quarantine_facts.h"

namespace qctl {
namespace {
constexpr std::size_t kQueue = 9, kSize = 5, kAge = 6, kNext = 6;
constexpr std::size_t kFixed = queue::Id::kOctets + 1 + kQueue + 1 + kSize + 1 + kAge + 1 + kNext + 1;
constexpr std::size_t kLeastForReason = 60;  // columns for sender, recipients and reason together; with less there is no reason

struct StateStyle {
  queue::State state;
  Output::Style style;
};
constexpr auto kStateStyles = std::to_array<StateStyle>({
    {queue::State::Working, Output::Style::Plain},
    {queue::State::Deliver, Output::Style::Green},
    {queue::State::Deferred, Output::Style::Yellow},
    {queue::State::Delegated, Output::Style::Blue},
    {queue::State::Hold, Output::Style::Magenta},
    {queue::State::Dead, Output::Style::Red},
    {queue::State::Quarantine, Output::Style::Magenta},
});

std::string right(const std::string& text, std::size_t width) { return std::string(width > text.size() ? width - text.size() : 0, ' ') + text; }
std::string left(std::string text, std::size_t width) { return text.append(width > text.size() ? width - text.size() : 0, ' '); }

std::chrono::seconds seconds(base::WallTime::duration duration) { return std::chrono::duration_cast<std::chrono::seconds>(duration); }

std::string next_text(const Entry& entry, base::WallTime now) {
  if (!entry.next_attempt) return "-";
  return *entry.next_attempt <= now ? "now" : human_duration(seconds(*entry.next_attempt - now));
}

Output::Style style_of(queue::State state) {
  for (const auto& row : kStateStyles)
    if (row.state == state) return row.style;
  return Output::Style::Plain;
}

}  // namespace

LineLayout::LineLayout(const Screen& screen) : utf8_(screen.utf8), has_limit_(screen.columns != 0) {
  if (!has_limit_) return;
  std::size_t rest = screen.columns > kFixed + 2 ? screen.columns - kFixed - 2 : 0;
  if (rest >= kLeastForReason) {
    reason_ = rest * 2 / 5;
    rest -= reason_ + 1;
  }
  sender_ = rest / 2;
  recipients_ = rest - sender_;
}

std::string LineLayout::line_of(const std::string& sender, const std::string& recipients, const std::string& reason) const {
  if (!has_limit_) return sender + " " + recipients + (reason.empty() ? "" : " " + reason);
  std::string text = padded(sender, sender_, utf8_) + " ";
  if (reason_ == 0) return text + fitted(recipients, recipients_, utf8_);
  text += padded(recipients, recipients_, utf8_);
  return reason.empty() ? text : text + " " + fitted(reason, reason_, utf8_);
}

std::string LineLayout::title() const {
  return left("ID", queue::Id::kOctets) + " " + left("QUEUE", kQueue) + " " + right("SIZE", kSize) + " " + right("AGE", kAge) + " " +
         right("NEXT", kNext) + " " + line_of("SENDER", "RECIPIENTS", "REASON");
}

std::string LineLayout::line(const Entry& entry, base::WallTime now, const Output& out) const {
  return entry.id.string() + " " + out.styled(left(entry.place.folder(), kQueue), style_of(entry.place.state)) + " " +
         right(human_octets(entry.octets), kSize) + " " + right(human_duration(seconds(now - entry.arrived)), kAge) + " " +
         right(next_text(entry, now), kNext) + " " +
         line_of(addresses_text({entry.reverse_path}, utf8_), addresses_text(entry.recipients, utf8_), printable_text(entry.reason, utf8_));
}

std::string addresses_text(const std::vector<std::string>& addresses, bool utf8) {
  std::string text;
  for (const auto& address : addresses) text += (text.empty() ? "<" : ",<") + printable_text(address, utf8) + ">";
  return text.empty() ? "-" : text;
}

std::string as_json(const Entry& entry) {
  std::string json = "{";
  base::json::append_member(json, "id", entry.id.text());
  base::json::append_member(json, "queue", entry.place.folder());
  base::json::append_name(json, "in_log");
  json += entry.is_in_log ? "true" : "false";
  base::json::append_member(json, "octets", static_cast<long long>(entry.octets));
  base::json::append_member(json, "arrived", base::to_rfc3339(entry.arrived));
  base::json::append_name(json, "next_attempt");
  if (entry.next_attempt) {
    base::json::append_string(json, base::to_rfc3339(*entry.next_attempt));
  } else {
    json += "null";
  }
  base::json::append_member(json, "sender", entry.reverse_path);
  base::json::append_name(json, "recipients");
  json += '[';
  for (const auto& recipient : entry.recipients) {
    if (json.back() != '[') json += ',';
    base::json::append_string(json, recipient);
  }
  json += ']';
  base::json::append_member(json, "reason", entry.reason);
  base::json::append_member(json, "attempts", static_cast<long long>(entry.attempts));
  if (const auto facts = quarantine_facts(entry.context)) {
    base::json::append_name(json, "quarantine");
    json += as_json(*facts);
  }
  return json + "}";
}

}  // namespace qctl
