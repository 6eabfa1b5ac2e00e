#include "qctl/log_line.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "lib/base/text.h"

namespace qctl {
namespace {

std::optional<LogLine> parse_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  LogLine line;
  std::optional<base::WallTime> time;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) continue;
    const auto& text_of = value.get_ref<const std::string&>();
    if (name == "time") time = base::parse_rfc3339(text_of);
    else if (name == "program") line.program = text_of;
    else if (name == "event") line.event = text_of;
    else line.fields.emplace_back(name, text_of);
  }
  if (!time || line.event.empty()) return std::nullopt;
  line.time = *time;
  return line;
}

// A value, up to the next blank or a JSON string, eaten from the front.
std::string eat_value(std::string_view& text) {
  std::size_t end = text.starts_with('"') ? 1 : std::min(text.find(' '), text.size());
  if (!text.starts_with('"')) {
    std::string value(text.substr(0, end));
    text.remove_prefix(end);
    return value;
  }
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  end = std::min(end + 1, text.size());
  const auto json = nlohmann::json::parse(text.substr(0, end), nullptr, false);
  text.remove_prefix(end);
  return json.is_string() ? json.get<std::string>() : std::string();
}

// "delivery id=1 status=sent", the event being all in front of the first name.
void parse_fields(std::string_view text, LogLine& line) {
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    const auto equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      if (line.fields.empty() && !word.empty()) line.event.append(line.event.empty() ? "" : " ").append(word);
      text.remove_prefix(std::min(word.size() + 1, text.size()));
      continue;
    }
    const std::string name(word.substr(0, equals));
    text.remove_prefix(equals + 1);
    line.fields.emplace_back(name, eat_value(text));
    base::text::consume(text, " ");
  }
}

}  // namespace

std::string_view LogLine::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &std::pair<std::string, std::string>::first);
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<LogLine> parse_log_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (const auto brace = text.find('{'); text.ends_with('}') && brace != std::string_view::npos)
    if (auto line = parse_json(text.substr(brace))) return line;
  // TIME PROGRAM[PID] LEVEL EVENT...; a log keeper may have put a time of its own in front.
  constexpr int kMostWordsInFront = 3;
  for (int skipped = 0; skipped <= kMostWordsInFront; ++skipped) {
    const auto [word, rest] = base::text::split_once(text, ' ');
    const auto time = base::parse_rfc3339(word);
    const auto program = base::text::split_once(rest, ' ');
    if (time && program.first.ends_with(']') && program.first.contains('[')) {
      LogLine line;
      line.time = *time;
      line.program = program.first.substr(0, program.first.find('['));
      parse_fields(base::text::split_once(program.second, ' ').second, line);
      if (line.event.empty()) return std::nullopt;
      return line;
    }
    text = rest;
  }
  return std::nullopt;
}

}  // namespace qctl
