#include "qctl/mbox.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "lib/base/text.h"
#include "qctl/entry.h"

namespace qctl::mbox {
namespace {

// In this order; the last one is kLines or kOctets, behind it the message begins.
constexpr std::string_view kId = "X-Vsmtp-Id: ";
constexpr std::string_view kQueue = "X-Vsmtp-Queue: ";
constexpr std::string_view kSender = "X-Vsmtp-Sender: ";
constexpr std::string_view kRecipient = "X-Vsmtp-Recipient: ";
constexpr std::string_view kLines = "X-Vsmtp-Lines: crlf";
constexpr std::string_view kOctets = "X-Vsmtp-Octets: ";

bool is_from_line(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of('>'), line.size()));
  return line.starts_with("From ");
}

// CR LF as every line end, the last one too: what comes back when LF becomes CR LF again.
bool is_regular(std::string_view message) {
  if (!message.ends_with("\r\n")) return false;
  for (auto at = message.find('\n'); at != std::string_view::npos; at = message.find('\n', at + 1))
    if (at == 0 || message[at - 1] != '\r') return false;
  return true;
}

// "Thu Jan  1 00:00:00 1970" of ctime(3), in UTC and in English.
std::string date_of(base::WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc;
  ::gmtime_r(&seconds, &utc);
  std::array<char, 26> text{};
  ::asctime_r(&utc, text.data());
  return {text.data(), 24};
}

std::string_view eat_line(std::string_view& octets) {
  const auto line = octets.substr(0, octets.find('\n'));
  octets.remove_prefix(std::min(line.size() + 1, octets.size()));
  return line;
}

std::string without_brackets(std::string_view address) {
  return std::string(address.size() >= 2 && address.starts_with('<') && address.ends_with('>') ? address.substr(1, address.size() - 2) : address);
}

// Eats the lines that write() puts in front of a message.
struct OwnFields {
  bool are_there = false;
  std::optional<std::uint64_t> octets;  // of a message that stands there as it is
};
OwnFields eat_own_fields(std::string_view& octets, Portable& message) {
  auto left = octets;
  std::string_view line = eat_line(left);
  if (!base::text::consume(line, kId)) return {};
  Portable own;
  own.id = queue::Id::parse(line);
  while (!left.empty()) {
    line = eat_line(left);
    if (base::text::consume(line, kQueue)) {
      own.place = queue::Place::parse(line);
    } else if (base::text::consume(line, kSender)) {
      own.reverse_path = without_brackets(line);
    } else if (base::text::consume(line, kRecipient)) {
      own.recipients.push_back(without_brackets(line));
    } else {
      const bool has_lines = line == kLines;
      const auto count = base::text::consume(line, kOctets) ? base::text::parse_number<std::uint64_t>(line) : std::nullopt;
      if (!has_lines && !count) return {};
      octets = left;
      message = std::move(own);
      return {true, count};
    }
  }
  return {};
}

// The lines up to the next "From ", with CR LF, unquoted, without the empty line in front of it.
std::string eat_lines(std::string_view& octets, bool is_foreign) {
  std::string message;
  while (!octets.empty() && !octets.starts_with("From ")) {
    auto line = eat_line(octets);
    if (line.starts_with('>') && is_from_line(line)) line.remove_prefix(1);
    if (is_foreign && line.ends_with('\r')) line.remove_suffix(1);
    message.append(line).append("\r\n");
  }
  if (message.ends_with("\r\n\r\n") || message == "\r\n") message.resize(message.size() - 2);
  return message;
}

}  // namespace

std::string write(const queue::Seen& seen, std::string_view message) {
  const auto entry = entry_of(seen);
  std::string sender = entry.reverse_path.empty() ? "MAILER-DAEMON" : entry.reverse_path;
  std::ranges::replace(sender, ' ', '_');
  std::string out = "From " + sender + " " + date_of(seen.item.arrived) + "\n";
  const auto add = [&](std::string_view name, std::string_view value) { out.append(name).append(value).append("\n"); };
  add(kId, entry.id.text());
  add(kQueue, entry.place.folder());
  add(kSender, "<" + entry.reverse_path + ">");
  for (const auto& recipient : entry.recipients) add(kRecipient, "<" + recipient + ">");
  if (!is_regular(message)) {
    add(kOctets, std::to_string(message.size()));
    return out.append(message).append("\n\n");
  }
  add(kLines, "");
  while (!message.empty()) {
    const auto line = eat_line(message);
    if (is_from_line(line)) out += '>';
    out.append(line.substr(0, line.size() - 1)).append("\n");
  }
  return out += '\n';
}

void read(std::string_view octets, const OnPortable& on_message) {
  const auto* const begin = octets.data();
  while (!octets.empty()) {
    const std::string where = "octet " + std::to_string(octets.data() - begin);
    auto from = eat_line(octets);
    base::text::consume(from, "From ");
    Portable message;
    const auto own = eat_own_fields(octets, message);
    if (own.octets > octets.size()) {
      (void)on_message(base::fail(base::Fault::Permanent, "cut short; expected: " + std::to_string(*own.octets) + " octets"), where);
      return;
    }
    if (own.octets) {
      message.message = octets.substr(0, *own.octets);
      octets.remove_prefix(*own.octets);
      while (octets.starts_with('\n')) octets.remove_prefix(1);
    } else {
      message.message = eat_lines(octets, !own.are_there);
    }
    const auto sender = from.substr(0, from.find(' '));
    if (!own.are_there) message.reverse_path = sender == "MAILER-DAEMON" ? "" : sender;
    if (!on_message(std::move(message), where)) return;
  }
}

}  // namespace qctl::mbox
