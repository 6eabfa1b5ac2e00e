// Fields of MIME: Content-Type (RFC 2045 section 5), Content-Disposition (RFC 2183), their parameters with the charsets and
// continuations of RFC 2231, Content-Transfer-Encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/mail/transfer_encoding.h"

namespace mail {

struct Parameter {
  std::string name;   // in lower case, without the "*" forms of RFC 2231
  std::string value;  // UTF-8; not what encoded words in it would mean, which RFC 2047 section 5 forbids here
  std::size_t offset = 0;  // of the (first part of the) parameter in the body
};

enum class MimeFault : std::uint8_t {
  Syntax,              // a token, "=" or ";" was expected
  UnclosedComment,
  UnclosedQuote,
  UnquotedValue,       // tspecials or blanks in a value without quotes: the whole of it is taken
  MissingValue,        // "; charset"
  EmptyParameter,      // ";;" or ";" at the end
  DuplicateParameter,  // the first one counts
  BadContinuation,     // parts of RFC 2231 section 3 with a gap, or without the first
  BadPercent,          // "%" without two hexadecimal digits (RFC 2231 section 4)
  BadExtended,         // no charset'language' in front of an extended value
  EncodedWord,         // an encoded word for a value
  TooMany,
};
struct MimeFinding {
  MimeFault fault;
  std::size_t offset;
};

// A value and its parameters: what all these fields look like.
struct MimeField {
  std::string value;    // "text", "attachment": in lower case
  std::string subtype;  // "plain"; only of a Content-Type
  std::vector<Parameter> parameters;
  std::vector<MimeFinding> findings;

  // nullptr: not there.
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
};

// nullopt: not of the form type "/" subtype; then RFC 2045 section 5.2 says text/plain in US-ASCII.
std::optional<MimeField> parse_content_type(std::string_view body);
// nullopt: no disposition-type; then RFC 2183 section 2.8 says attachment.
std::optional<MimeField> parse_content_disposition(std::string_view body);

struct Mechanism {
  TransferEncoding encoding = TransferEncoding::SevenBit;
  std::string_view name;   // as written
  std::size_t offset = 0;  // of the name
  bool has_junk = false;   // something other than CFWS follows it
};
// Content-Transfer-Encoding; an empty body is a mechanism without name, Unknown.
Mechanism parse_transfer_encoding(std::string_view body);

}  // namespace mail
