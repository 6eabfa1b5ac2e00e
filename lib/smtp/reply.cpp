#include "lib/smtp/reply.h"

#include <utility>

#include "lib/base/text.h"

namespace smtp {

namespace text = base::text;

std::optional<ReplyLine> parse_reply_line(std::string_view line) {
  const auto code = text::consume_digits(line, 3);
  if (!code || *code < 200 || *code > 599) return std::nullopt;
  if (line.empty()) return ReplyLine{*code, false, {}};
  if (line.front() != '-' && line.front() != ' ') return std::nullopt;
  return ReplyLine{*code, line.front() == '-', line.substr(1)};
}

std::string_view consume_enhanced_status(std::string_view& text) {
  if (text.empty() || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return {};
  std::size_t at = 1;
  for (int part = 0; part < 2; ++part) {
    if (at >= text.size() || text[at] != '.') return {};
    const std::size_t first = ++at;
    while (at < text.size() && text::is_digit(text[at])) ++at;
    if (at == first || at - first > 3) return {};
  }
  if (at < text.size() && text[at] != ' ') return {};
  const auto status = text.substr(0, at);
  text.remove_prefix(at < text.size() ? at + 1 : at);
  return status;
}

std::string Reply::words() const {
  std::string front = std::to_string(code);
  if (!status.empty()) front += " " + status;
  std::string words;
  std::string_view rest = text;
  for (;;) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    words += front;
    if (!line.empty()) words += " ";
    words += line;
    if (end == std::string_view::npos) return words;
    words += '\n';
    rest.remove_prefix(end + 1);
  }
}

ReplyReader::Status ReplyReader::feed(std::string_view& input) {
  while (!input.empty()) {
    const auto end = input.find('\n');
    const auto piece = input.substr(0, end);
    if (line_.size() + piece.size() > limits_.line_octets + 1) return bad("line of more than " + std::to_string(limits_.line_octets) + " octets");
    if (end == std::string_view::npos) {
      line_ += piece;
      input = {};
      return Status::NeedMore;
    }
    input.remove_prefix(end + 1);
    Status status;
    if (line_.empty()) {
      status = on_line(piece);
    } else {
      line_ += piece;
      status = on_line(line_);
      line_.clear();
    }
    if (status != Status::NeedMore) return status;
  }
  return Status::NeedMore;
}

ReplyReader::Status ReplyReader::on_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > limits_.line_octets) return bad("line of more than " + std::to_string(limits_.line_octets) + " octets");
  octets_ += line.size() + 2;
  if (octets_ > limits_.reply_octets) return bad("reply of more than " + std::to_string(limits_.reply_octets) + " octets");
  auto parsed = parse_reply_line(line);
  if (!parsed) return bad("not a reply: " + text::printable(line));
  const bool is_first = !has_lines();
  if (!is_first && parsed->code != reply_.code)
    return bad("reply with two codes, " + std::to_string(reply_.code) + " and " + std::to_string(parsed->code));

  auto rest = parsed->text;
  const auto status = consume_enhanced_status(rest);
  if (is_first) {
    reply_.code = parsed->code;
    if (!status.empty() && status[0] - '0' == reply_.digit()) reply_.status = status;
  } else {
    reply_.text += '\n';
  }
  reply_.text += status == reply_.status ? rest : parsed->text;
  return parsed->more_follow ? Status::NeedMore : Status::Complete;
}

Reply ReplyReader::take() {
  octets_ = 0;
  return std::exchange(reply_, Reply());
}

ReplyReader::Status ReplyReader::bad(std::string problem) {
  problem_ = std::move(problem);
  return Status::Bad;
}

}  // namespace smtp
