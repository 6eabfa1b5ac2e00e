// Lines and fields at the front of a message or part, as everything here that looks for a header tells them (RFC 5322 section
// 2.2): Message for its index, rules for the fields they change.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mail {

struct Line {
  std::string_view text;  // without its line end, CRLF or LF
  std::size_t next;       // offset of the line behind it
};
Line line_at(std::string_view octets, std::size_t offset);

// The name of the field that a line begins; "" when it begins none. Blanks before the colon are obsolete (section 4.5).
std::string_view field_name(std::string_view line);

// What may stand in front of the first field without ending the header: a line that begins with a blank, or "From " of an mbox
// and what some stores make of it. `line` is the first one and not empty.
bool is_preface(std::string_view line);

struct ScannedField {
  std::string_view octets;  // from its name to the end of its last line, with the line end if there is one
  std::string_view name;    // "" for a preface, and for a line that begins with its colon
  std::size_t body = 0;     // in `octets`, behind the colon; 0 when there is none
};

// Reads the header at the front of `octets`, which must outlive what it returns. Any octets have a header, maybe an empty one.
class FieldScanner {
 public:
  explicit FieldScanner(std::string_view octets) : octets_(octets) {}

  // nullopt: the header is at its end.
  std::optional<ScannedField> next();
  // After that: where the body begins, and whether an empty line stands in front of it.
  [[nodiscard]] std::size_t body() const { return at_; }
  [[nodiscard]] bool has_separator() const { return has_separator_; }

 private:
  std::string_view octets_;
  std::size_t at_ = 0;
  bool has_separator_ = false;
};

}  // namespace mail
