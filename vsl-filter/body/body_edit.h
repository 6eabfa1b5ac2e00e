// A change of a message's body, collected while its parts are walked through.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/mail/message.h"
#include "vsl-filter/body/body.h"

namespace rules {

// What Message::apply() carries out.
struct BodyEdit {
  std::vector<Body::Splice> splices;  // by offset in the octets that were indexed
  // Of the message's own header: removed, then given a body (all behind the colon) or made.
  std::vector<std::string> removed_fields;
  std::vector<std::pair<std::string, std::string>> fields;
};

class PartEditor {
 public:
  // The message, and the line end of its header, which is used for what is written.
  PartEditor(const mail::Message& message, std::string_view line_end) : message_(message), line_end_(line_end) {}

  [[nodiscard]] const mail::Message& message() const { return message_; }
  [[nodiscard]] std::string_view line_end() const { return line_end_; }

  void splice(std::size_t offset, std::size_t length, Body::Piece put) { edit_.splices.push_back({offset, length, std::move(put)}); }
  void insert(std::size_t offset, std::string text) { splice(offset, 0, Body::Piece::of(std::move(text))); }
  // A field of a part's header: its first one of that name gets the body, else it is made.
  void set_field(const mail::Part& part, std::string_view name, std::string_view body);
  void remove_root_field(std::string_view name) { edit_.removed_fields.emplace_back(name); }

  // The part says `octets` from now on, in its own transfer encoding, or in quoted-printable when 7bit or 8bit cannot hold them.
  void write(const mail::Part& part, std::string_view octets);
  void set_charset(const mail::Part& part, std::string_view charset);
  // What must follow text that is put in at `offset`, so that a delimiter behind it keeps a line of its own.
  [[nodiscard]] std::string_view line_end_at(std::size_t offset) const;

  [[nodiscard]] BodyEdit finish() &&;

 private:
  const mail::Message& message_;
  std::string_view line_end_;
  BodyEdit edit_;
};

// Text parts, as those see them who change them.
[[nodiscard]] std::string charset_of(const mail::Message& message, const mail::Part& part);  // in lower case; "": none is said
// A part whose text people read: text that is no attachment, in a transfer encoding that is known.
[[nodiscard]] bool is_readable_text(const mail::Message& message, const mail::Part& part);
// Signed or encrypted as a whole (RFC 1847, RFC 8551 section 3): what is changed inside is broken.
[[nodiscard]] bool is_sealed(const mail::Part& part);
// Whether no line is longer than SMTP takes (RFC 5321 section 4.5.3.1.6).
[[nodiscard]] bool fits_lines(std::string_view octets);

// All parts of one message cut out that are marked in `removed`. A multipart that has none left goes too; the message's own is
// left with an empty text.
[[nodiscard]] BodyEdit removal_of(const mail::Message& message, const std::vector<bool>& removed, std::string_view line_end);
// The message's one and only part: its fields and its body.
[[nodiscard]] BodyEdit emptying_of(const mail::Message& message);

}  // namespace rules
