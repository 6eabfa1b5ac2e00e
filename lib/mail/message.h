// The index of a message: where its header fields and MIME parts lie (RFC 5322 section 2.1, RFC 2046 section 5.1). Made in one
// pass over the octets, which stay where they are; everything here points into them. Line ends may be CRLF or LF, anything may be
// cut short or be no message at all: there is always an index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/mail/header.h"
#include "lib/mail/transfer_encoding.h"

namespace mail {

inline constexpr std::uint32_t kNoPart = static_cast<std::uint32_t>(-1);

struct Part {
  enum class Kind : std::uint8_t {
    Leaf,
    Multipart,  // children: the parts between its delimiters
    Message,    // one child: the message inside (message/rfc822, message/global)
  };
  Kind kind = Kind::Leaf;
  TransferEncoding encoding = TransferEncoding::SevenBit;
  bool has_separator = false;  // an empty line ended the header
  bool is_closed = false;      // multipart: its closing delimiter was there
  std::uint16_t depth = 0;

  std::uint32_t parent = kNoPart, first_child = kNoPart, next_sibling = kNoPart;
  std::uint32_t first_field = 0, field_count = 0;

  // What it is taken for: its Content-Type, or the default of its place; in lower case.
  std::string type, subtype;
  std::string boundary;  // multipart: without "--"

  // Octets of the message: header [offset, body), body [body, end). The line end before a delimiter is the delimiter's.
  std::size_t offset = 0, body = 0, end = 0;
  std::size_t line = 0, body_line = 0;  // from 1
  // Multipart: [body, preamble_end) comes before the first delimiter, [epilogue, end) after the closing one; both empty when missing.
  std::size_t preamble_end = 0, epilogue = 0;
};

class Message {
 public:
  struct Limits {
    std::uint16_t depth = 50;       // parts inside of parts; deeper ones are leaves
    std::uint32_t parts = 10'000;
    std::uint32_t fields = 50'000;  // of all parts
  };
  enum class Limit : std::uint8_t { None, Depth, Parts, Fields };

  // `octets` must outlive the index.
  static Message index(std::string_view octets, const Limits& limits);
  static Message index(std::string_view octets) { return index(octets, Limits()); }

  [[nodiscard]] std::string_view octets() const { return octets_; }
  // In the order in which they begin; parts()[0] is the message itself.
  [[nodiscard]] std::span<const Part> parts() const { return parts_; }
  [[nodiscard]] const Part& root() const { return parts_.front(); }
  // The header of a part in its order, lines that are no fields included, with an empty name.
  [[nodiscard]] std::span<const Field> fields(const Part& part) const { return std::span(fields_).subspan(part.first_field, part.field_count); }
  // The first field of that name in any case; nullptr: none.
  [[nodiscard]] const Field* find(const Part& part, std::string_view name) const;
  [[nodiscard]] const Field* find(std::string_view name) const { return find(root(), name); }
  [[nodiscard]] std::string_view body(const Part& part) const { return octets_.substr(part.body, part.end - part.body); }

  // The first limit that was reached, and where: what lies behind is not in the index.
  [[nodiscard]] Limit limit() const { return limit_; }
  [[nodiscard]] std::size_t limit_offset() const { return limit_offset_; }

 private:
  class Indexer;
  std::string_view octets_;
  std::vector<Part> parts_;
  std::vector<Field> fields_;
  Limit limit_ = Limit::None;
  std::size_t limit_offset_ = 0;
};

}  // namespace mail
