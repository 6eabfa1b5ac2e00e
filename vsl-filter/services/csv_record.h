// Records of comma-separated values: RFC 4180 section 2, with LF or CR LF at the end of a record, blanks around fields trimmed
// and empty lines passed over. No I/O.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rules {

class CsvReader {
 public:
  // Both are borrowed. `delimiter` is one character, neither a quote nor a line end. A byte order mark in front is passed over.
  CsvReader(std::string_view text, std::string_view delimiter);

  enum class Status { Record, End, UnclosedQuote };
  // The next record: its first `most` fields replace what is in `fields`. UnclosedQuote: a quote goes on to the end of the text.
  Status next(std::vector<std::string>& fields, std::size_t most = std::numeric_limits<std::size_t>::max());

  // Of the last record: where it lies in the text, its line end included.
  [[nodiscard]] std::size_t begin() const { return begin_; }
  [[nodiscard]] std::size_t end() const { return at_; }

 private:
  [[nodiscard]] bool at_line_end() const;
  [[nodiscard]] bool at_delimiter() const;
  [[nodiscard]] bool at_blank() const;
  void eat_line_end();
  void eat_blanks();
  bool eat_quoted(std::string& field);
  bool eat_field(std::string& field);

  std::string_view text_;
  std::string_view delimiter_;
  std::size_t begin_ = 0;
  std::size_t at_ = 0;
};

// The record as a line with this line end: fields are quoted where they must be, so that reading gives them back.
std::string write_csv(std::span<const std::string> fields, std::string_view delimiter, std::string_view line_end);

// Whether it can separate fields: one character of UTF-8, not a quote, CR or LF.
bool is_csv_delimiter(std::string_view text);

}  // namespace rules
