// Where a message breaks RFC 5322 and MIME: for mime-check, and for rules that ask mime::check(). Works on the octets in place; time is that of a few passes over them.
#pragma once

#include <cstddef>
#include <string_view>

#include "lib/base/settings.h"
#include "lib/mail/message.h"
#include "lib/lint/findings.h"

namespace lint {

struct Rules {
  // Lines end in CR LF. Else the more frequent of CR LF and LF is what this file uses.
  bool is_wire = false;
  mail::Message::Limits limits;
};

// Of the settings mime.depth_max, mime.parts_max and mime.fields_max.
[[nodiscard]] mail::Message::Limits limits_of(const base::Settings& settings);

void check_message(std::string_view octets, const Rules& rules, Findings& findings);

// Its pieces, each one file.
struct Subject {
  const mail::Message& message;
  const Rules& rules;
  Findings& findings;

  [[nodiscard]] std::size_t offset_of(std::string_view inside) const { return static_cast<std::size_t>(inside.data() - message.octets().data()); }
};
void check_lines(const Subject& subject);   // line ends and lengths, NUL
void check_header(const Subject& subject);  // of the message and of its parts
void check_field(const Subject& subject, const mail::Field& field);  // its body, by its syntax
void check_encoded_words(const Subject& subject, const mail::Field& field);
void check_parts(const Subject& subject);   // structure and bodies

}  // namespace lint
