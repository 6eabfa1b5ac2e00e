#include "vsl-filter/services/csv_record.h"

#include <algorithm>

namespace rules {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

CsvReader::CsvReader(std::string_view text, std::string_view delimiter) : text_(text), delimiter_(delimiter) {
  if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

bool CsvReader::at_line_end() const {
  if (at_ == text_.size() || text_[at_] == '\n') return true;
  return text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n');
}
bool CsvReader::at_delimiter() const { return text_.substr(at_).starts_with(delimiter_); }
bool CsvReader::at_blank() const { return at_ < text_.size() && is_blank(text_[at_]) && !at_delimiter(); }

void CsvReader::eat_line_end() {
  if (at_ < text_.size() && text_[at_] == '\r') ++at_;
  if (at_ < text_.size() && text_[at_] == '\n') ++at_;
}
void CsvReader::eat_blanks() {
  while (at_blank()) ++at_;
}

// Stands at a quote. Blanks within quotes are kept. False: there is no other quote.
bool CsvReader::eat_quoted(std::string& field) {
  ++at_;
  for (;;) {
    const auto quote = text_.find('"', at_);
    if (quote == std::string_view::npos) return false;
    field += text_.substr(at_, quote - at_);
    at_ = quote + 1;
    if (at_ == text_.size() || text_[at_] != '"') return true;
    field += '"';
    ++at_;
  }
}

// Up to the delimiter or line end. What stands behind a closing quote belongs to the field as it is.
bool CsvReader::eat_field(std::string& field) {
  eat_blanks();
  const bool is_quoted = at_ < text_.size() && text_[at_] == '"';
  if (is_quoted && !eat_quoted(field)) return false;
  const std::size_t kept = field.size();
  const std::size_t start = at_;
  while (!at_line_end() && !at_delimiter()) ++at_;
  field += text_.substr(start, at_ - start);
  while (field.size() > kept && is_blank(field.back())) field.pop_back();
  return true;
}

CsvReader::Status CsvReader::next(std::vector<std::string>& fields, std::size_t most) {
  for (;;) {  // over empty lines
    begin_ = at_;
    eat_blanks();
    if (!at_line_end()) break;
    if (at_ == text_.size()) return Status::End;
    eat_line_end();
  }
  at_ = begin_;
  std::size_t count = 0;
  std::string dropped;
  for (;;) {
    const bool is_wanted = count < most;
    if (is_wanted && fields.size() == count) fields.emplace_back();
    std::string& field = is_wanted ? fields[count] : dropped;
    field.clear();
    if (!eat_field(field)) return Status::UnclosedQuote;
    if (is_wanted) ++count;
    if (at_line_end()) break;
    at_ += delimiter_.size();
  }
  fields.resize(count);
  eat_line_end();
  return Status::Record;
}

std::string write_csv(std::span<const std::string> fields, std::string_view delimiter, std::string_view line_end) {
  std::string line;
  for (const std::string& field : fields) {
    if (&field != fields.data()) line += delimiter;
    const bool has_blanks = !field.empty() && (is_blank(field.front()) || is_blank(field.back()));
    // The first one also when empty, so that the line is no empty one, or when it would pass for a byte order mark.
    const bool is_odd_first = &field == fields.data() && (field.empty() || field.starts_with(kByteOrderMark));
    if (!has_blanks && !is_odd_first && field.find_first_of("\"\r\n") == std::string::npos && field.find(delimiter) == std::string::npos) {
      line += field;
      continue;
    }
    line += '"';
    for (const char c : field) line.append(c == '"' ? 2 : 1, c);
    line += '"';
  }
  return line.append(line_end);
}

bool is_csv_delimiter(std::string_view text) {
  if (text.empty() || text == "\"" || text == "\r" || text == "\n") return false;
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t octets = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  return text.size() == octets && std::ranges::all_of(text.substr(1), [](char c) { return (c & 0xC0) == 0x80; });
}

}  // namespace rules
