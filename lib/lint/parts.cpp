// MIME structure and bodies: RFC 2045 section 6, RFC 2046 section 5.
#include <algorithm>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "lib/mail/mime.h"
#include "lib/lint/check.h"

namespace lint {
namespace {

using mail::Part;
using mail::TransferEncoding;

constexpr std::size_t kMaxBoundaryOctets = 70;

// bchars  RFC 2046 section 5.1.1
bool is_boundary_character(char c) { return base::text::is_alpha(c) || base::text::is_digit(c) || std::string_view("'()+_,-./:=? ").contains(c); }

std::size_t find_8bit(std::string_view octets) {
  constexpr std::size_t kPiece = 4096;
  for (std::size_t at = 0; at < octets.size(); at += kPiece) {
    const auto piece = octets.substr(at, kPiece);
    if (!base::utf8::has_8bit(piece)) continue;
    return at + static_cast<std::size_t>(std::ranges::find_if(piece, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }) - piece.begin());
  }
  return std::string_view::npos;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

class PartChecker {
 public:
  PartChecker(const Subject& subject, const Part& part)
      : subject_(subject), message_(subject.message), part_(part), type_field_(message_.find(part, "Content-Type")),
        encoding_field_(message_.find(part, "Content-Transfer-Encoding")) {}

  void run() {
    check_composite_encoding();
    if (part_.type == "multipart") check_boundary();
    if (part_.kind == Part::Kind::Multipart) check_multipart();
    if (part_.kind == Part::Kind::Leaf) check_leaf();
  }

 private:
  void add(Id id, std::size_t offset, std::size_t length = 1, std::string detail = {}) { subject_.findings.add(id, offset, length, std::move(detail)); }
  // Where the field says it, or where the part begins.
  [[nodiscard]] std::size_t place_of(const mail::Field* field) const { return field != nullptr ? field->offset : part_.offset; }
  [[nodiscard]] std::string type() const { return part_.type + "/" + part_.subtype; }
  [[nodiscard]] const Part* parent_of(const Part& part) const { return part.parent == mail::kNoPart ? nullptr : &message_.parts()[part.parent]; }

  // RFC 2045 section 6.4; RFC 2046 section 5.2.1. message/global may be encoded (RFC 6532 section 3.7), so may other messages that
  // are looked at from outside only.
  void check_composite_encoding() {
    const bool is_composite = part_.type == "multipart" || (part_.type == "message" && (part_.subtype == "rfc822" || part_.subtype == "partial" || part_.subtype == "external-body"));
    if (!is_composite || is_identity(part_.encoding) || part_.encoding == TransferEncoding::Unknown) return;
    add(Id::EncodedComposite, place_of(encoding_field_), encoding_field_->name.size(), type() + " in " + std::string(name_of(part_.encoding)));
  }

  void check_boundary() {
    if (part_.boundary.empty()) return add(Id::NoBoundary, place_of(type_field_), type_field_->name.size());
    const auto fault = boundary_fault();
    if (!fault.empty()) add(Id::BadBoundary, place_of(type_field_), type_field_->name.size(), fault);
    for (const auto* outer = parent_of(part_); outer != nullptr; outer = parent_of(*outer))
      if (outer->kind == Part::Kind::Multipart && (part_.boundary.starts_with(outer->boundary) || outer->boundary.starts_with(part_.boundary)))
        return add(Id::SameBoundary, place_of(type_field_), type_field_->name.size(), "that of line " + std::to_string(outer->line));
  }

  [[nodiscard]] std::string boundary_fault() const {
    if (part_.boundary.size() > kMaxBoundaryOctets) return std::to_string(part_.boundary.size()) + " characters, more than 70";
    const auto bad = std::ranges::find_if_not(part_.boundary, is_boundary_character);
    if (bad != part_.boundary.end()) return "octet " + base::text::printable(std::string_view(&*bad, 1)) + " is not allowed";
    const auto parsed = mail::parse_content_type(type_field_->body);
    const auto* written = parsed ? parsed->parameter("boundary") : nullptr;
    return written != nullptr && written->size() != part_.boundary.size() ? "ends in a blank" : "";
  }

  void check_multipart() {
    // The limit of parts, not the message, can be why nothing is there.
    const bool is_known = message_.limit() == mail::Message::Limit::None || message_.limit_offset() > part_.end;
    if (part_.first_child == mail::kNoPart && is_known) add(Id::NoParts, place_of(type_field_), type_field_->name.size(), type());
    if (!part_.is_closed && part_.first_child != mail::kNoPart)
      add(Id::UnclosedMultipart, place_of(type_field_), type_field_->name.size(), "no --" + base::text::printable(part_.boundary, 70) + "--");
    const auto octets = message_.octets();
    if (part_.first_child != mail::kNoPart) note_text(Id::Preamble, octets.substr(part_.body, part_.preamble_end - part_.body));
    note_text(Id::Epilogue, octets.substr(part_.epilogue, part_.end - part_.epilogue));
  }

  void note_text(Id id, std::string_view text) {
    if (!is_blank(text)) add(id, subject_.offset_of(text) + text.find_first_not_of(" \t\r\n"));
  }

  void check_leaf() {
    const auto body = message_.body(part_);
    check_near_delimiters(body);
    if (part_.encoding == TransferEncoding::QuotedPrintable) return check_quoted_printable(body);
    if (part_.encoding == TransferEncoding::Base64) return check_base64(body);
    const auto first = find_8bit(body);
    if (first == std::string_view::npos) return;
    check_8bit(part_.body + first);
    check_charset(body, part_.body + first);
  }

  // Readers that look for the boundary at the front of a line (which section 5.1.1 allows) and those that want it alone there see
  // different parts: a way to hide one.
  void check_near_delimiters(std::string_view body) {
    if (part_.parent == mail::kNoPart || !subject_.findings.wants(Id::NearDelimiter)) return;
    for (auto at = body.starts_with("--") ? 0 : next_dashes(body, 0); at != std::string_view::npos; at = next_dashes(body, at)) {
      const auto line = body.substr(at + 2, std::min(body.find('\n', at), body.size()) - at - 2);
      for (const auto* outer = parent_of(part_); outer != nullptr; outer = parent_of(*outer)) {
        if (outer->kind != Part::Kind::Multipart || !line.starts_with(outer->boundary)) continue;
        add(Id::NearDelimiter, part_.body + at, outer->boundary.size() + 2);
        if (!subject_.findings.wants(Id::NearDelimiter)) return;
      }
    }
  }
  static std::size_t next_dashes(std::string_view body, std::size_t from) {
    const auto feed = body.find("\n--", from);
    return feed == std::string_view::npos ? feed : feed + 1;
  }

  void check_8bit(std::size_t offset) {
    if (part_.encoding == TransferEncoding::SevenBit) return add(Id::EightBitIn7bit, offset, 1, encoding_field_ == nullptr ? "7bit is the default" : "");
    for (const auto* outer = parent_of(part_); outer != nullptr; outer = parent_of(*outer))
      if (outer->encoding == TransferEncoding::SevenBit)
        return add(Id::EightBitEnclosed, offset, 1, outer->type + "/" + outer->subtype + " of line " + std::to_string(outer->line));
  }

  void check_charset(std::string_view body, std::size_t offset) {
    if (part_.type != "text") return;
    const auto parsed = type_field_ != nullptr ? mail::parse_content_type(type_field_->body) : std::nullopt;
    const auto* charset = parsed ? parsed->parameter("charset") : nullptr;
    if (charset == nullptr || base::text::equal_ignoring_case(*charset, "us-ascii")) return add(Id::NoCharset, offset, 1, charset == nullptr ? "us-ascii is the default" : *charset);
    if (!base::text::equal_ignoring_case(*charset, "utf-8")) return;
    for (auto rest = body.substr(offset - part_.body); !rest.empty();) {
      const auto octets = base::utf8::sequence_octets(rest);
      if (octets == 0) return add(Id::NotUtf8, subject_.offset_of(rest));
      rest.remove_prefix(octets);
    }
  }

  struct EncodingText {
    mail::EncodingFault fault;
    Id id;
    std::string_view text;
  };
  void report_encoding(std::span<const EncodingText> texts, mail::EncodingFault fault, std::size_t offset) {
    const auto text = std::ranges::find(texts, fault, &EncodingText::fault);
    add(text->id, part_.body + offset, 1, std::string(text->text));
  }

  void check_quoted_printable(std::string_view body) {
    using enum mail::EncodingFault;
    static constexpr auto kTexts = std::to_array<EncodingText>({
        {BadEscape, Id::BadQuotedPrintable, "'=' without two hexadecimal digits"},
        {Unencoded8bit, Id::BadQuotedPrintable, "octet that must be encoded"},
        {LowerCaseEscape, Id::SloppyQuotedPrintable, "hexadecimal digits in lower case"},
        {TrailingBlank, Id::SloppyQuotedPrintable, "blank at the end of a line"},
        {LineTooLong, Id::SloppyQuotedPrintable, "line of more than 76 characters"},
    });
    mail::check_quoted_printable(body, [&](mail::EncodingFault fault, std::size_t offset) {
      report_encoding(kTexts, fault, offset);
      return true;
    });
  }

  void check_base64(std::string_view body) {
    using enum mail::EncodingFault;
    static constexpr auto kTexts = std::to_array<EncodingText>({
        {BadCharacter, Id::BadBase64, "character outside of its alphabet"},
        {BadPadding, Id::BadBase64, "'=' where none belongs, or text behind it"},
        {Truncated, Id::BadBase64, "cut short"},
        {LineTooLong, Id::SloppyBase64, "line of more than 76 characters"},
    });
    mail::check_base64(body, [&](mail::EncodingFault fault, std::size_t offset) {
      // A blank harms nobody (section 6.8 has readers skip it).
      if (fault == BadCharacter && is_blank(body.substr(offset, 1))) {
        add(Id::SloppyBase64, part_.body + offset, 1, "blank");
      } else {
        report_encoding(kTexts, fault, offset);
      }
      return true;
    });
  }

  const Subject& subject_;
  const mail::Message& message_;
  const Part& part_;
  const mail::Field* type_field_;
  const mail::Field* encoding_field_;
};

}  // namespace

void check_parts(const Subject& subject) {
  for (const auto& part : subject.message.parts()) PartChecker(subject, part).run();
}

}  // namespace lint
