#include "vsl-filter/transaction/reply.h"

#include "lib/base/text.h"

namespace rules {

namespace text = base::text;

namespace {

constexpr std::size_t kLinePoints = 80 - 2;  // vsl.md 3.1: with CR LF

constexpr bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Octets of the first `points` code points.
std::size_t octets_of(std::string_view text, std::size_t points) {
  std::size_t i = 0;
  for (; i < text.size(); ++i)
    if (!is_continuation(text[i]) && points-- == 0) break;
  return i;
}

// Eats one line of at most `room` code points.
std::string_view consume_piece(std::string_view& text, std::size_t room) {
  std::size_t end = octets_of(text, room);
  std::size_t next = end;
  if (end < text.size()) {
    const std::size_t blank = text.substr(0, end + 1).rfind(' ');
    if (blank != std::string_view::npos && blank > 0) {
      end = blank;
      next = blank + 1;
    }
  }
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(next);
  return piece;
}

}  // namespace

bool is_enhanced_status(std::string_view status) {
  const auto parts = text::split(status, '.');
  if (parts.size() != 3 || parts[0].size() != 1) return false;
  for (const std::string_view part : parts)
    if (part.size() > 3 || !text::parse_number<unsigned>(part)) return false;
  return true;
}

std::optional<Reply> Reply::parse(std::string_view words) {
  Reply reply;
  const auto code = text::consume_digits(words, 3);
  if (!code || *code < 100 || *code > 599 || (!words.empty() && words.front() != ' ')) return std::nullopt;
  reply.code = *code;
  words = text::trim(words);
  if (const auto [first, rest] = text::split_once(words, ' '); is_enhanced_status(first)) {
    reply.enhanced = first;
    words = text::trim(rest);
  }
  if (words.empty()) return std::nullopt;
  reply.text = words;
  return reply;
}

std::string Reply::words() const { return std::to_string(code) + (enhanced.empty() ? "" : " " + enhanced) + " " + text; }

std::vector<std::string> Reply::lines() const {
  const std::string front = std::to_string(code);
  const std::string status = enhanced.empty() ? "" : enhanced + " ";
  const std::size_t taken = front.size() + 1 + status.size();
  const std::size_t room = taken + 8 < kLinePoints ? kLinePoints - taken : 8;
  std::vector<std::string> lines;
  std::string_view rest = text;
  do {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    do lines.push_back(front + '-' + status + std::string(consume_piece(line, room)));
    while (!line.empty());
  } while (!rest.empty());
  lines.back()[front.size()] = ' ';
  return lines;
}

}  // namespace rules
