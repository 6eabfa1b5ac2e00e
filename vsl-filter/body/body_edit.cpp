#include "vsl-filter/body/body_edit.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/mime.h"
#include "vsl-filter/transaction/mime_parts.h"

namespace rules {
namespace {

using mail::Part;
using mail::TransferEncoding;

constexpr std::size_t kMaxLineOctets = 998;

bool is_root(const Part& part) { return part.parent == mail::kNoPart; }

// Where the value of the parameter at `offset` ends.
std::size_t end_of_parameter(std::string_view body, std::size_t offset) {
  auto at = body.find('=', offset);
  if (at == std::string_view::npos) return body.size();
  at = std::min(body.find_first_not_of(" \t\r\n", at + 1), body.size());
  if (at == body.size() || body[at] != '"') return std::min(body.find_first_of("; \t\r\n(", at), body.size());
  for (++at; at < body.size() && body[at] != '"'; ++at)
    if (body[at] == '\\') ++at;
  return std::min(at + 1, body.size());
}

// A Content-Type with another charset; everything else of it stays as it is written.
std::string with_charset(std::string_view body, std::string_view charset) {
  const std::string parameter = "charset=" + std::string(charset);
  const auto type = mail::parse_content_type(body);
  if (!type) return " text/plain; " + parameter;
  for (const auto& each : type->parameters) {
    if (each.name != "charset") continue;
    const auto end = end_of_parameter(body, each.offset);
    return std::string(body.substr(0, each.offset)) + parameter + std::string(body.substr(end));
  }
  while (!body.empty() && (base::text::is_space(body.back()) || body.back() == ';' || body.back() == '\r' || body.back() == '\n')) body.remove_suffix(1);
  return std::string(body) + "; " + parameter;
}

}  // namespace

void PartEditor::set_field(const Part& part, std::string_view name, std::string_view body) {
  if (is_root(part)) {
    edit_.fields.emplace_back(name, body);
    if (message_.find("MIME-Version") == nullptr && std::ranges::find(edit_.fields, "MIME-Version", &std::pair<std::string, std::string>::first) == edit_.fields.end())
      edit_.fields.emplace_back("MIME-Version", " 1.0");
    return;
  }
  if (const auto* field = message_.find(part, name)) {
    const auto offset = static_cast<std::size_t>(field->body.data() - message_.octets().data());
    return splice(offset, field->body.size(), Body::Piece::of(std::string(body)));
  }
  std::string line = std::string(name) + ":" + std::string(body) + std::string(line_end_);
  if (!part.has_separator && part.field_count == 0) line += line_end_;
  insert(part.offset, std::move(line));
}

void PartEditor::set_charset(const Part& part, std::string_view charset) {
  const auto* type = message_.find(part, "Content-Type");
  set_field(part, "Content-Type", type == nullptr ? " text/plain; charset=" + std::string(charset) : with_charset(type->body, charset));
}

void PartEditor::write(const Part& part, std::string_view octets) {
  const auto before = message_.body(part);
  auto encoding = part.encoding;
  if (mail::is_identity(encoding)) {
    const bool has_new_8bit = encoding == TransferEncoding::SevenBit && base::utf8::has_8bit(octets) && !base::utf8::has_8bit(before);
    const bool has_new_long_line = encoding != TransferEncoding::Binary && !fits_lines(octets) && fits_lines(before);
    if (has_new_8bit || has_new_long_line) {
      encoding = TransferEncoding::QuotedPrintable;
      set_field(part, "Content-Transfer-Encoding", " quoted-printable");
    }
  }
  std::string written;
  if (encoding == TransferEncoding::QuotedPrintable) {
    mail::encode_quoted_printable(written, octets, line_end_);
  } else if (encoding == TransferEncoding::Base64) {
    mail::encode_base64_lines(written, octets, line_end_);
    if (is_root(part)) written += line_end_;
  } else {
    written = octets;
  }
  written += line_end_at(part.end);
  splice(part.body, before.size(), Body::Piece::of(std::move(written)));
}

std::string_view PartEditor::line_end_at(std::size_t offset) const {
  const auto rest = message_.octets().substr(offset);
  return rest.empty() || rest.starts_with("\r\n") || rest.starts_with('\n') ? std::string_view() : line_end_;
}

BodyEdit PartEditor::finish() && {
  std::ranges::stable_sort(edit_.splices, {}, &Body::Splice::offset);
  return std::move(edit_);
}

std::string charset_of(const mail::Message& message, const Part& part) {
  const auto* field = message.find(part, "Content-Type");
  const auto type = field == nullptr ? std::nullopt : mail::parse_content_type(field->body);
  const auto* charset = type ? type->parameter("charset") : nullptr;
  return charset == nullptr ? std::string() : base::text::to_lower(*charset);
}

bool is_readable_text(const mail::Message& message, const Part& part) {
  if (part.kind != Part::Kind::Leaf || part.type != "text" || part.encoding == TransferEncoding::Unknown) return false;
  // A header that nothing ends: text could not be told from it.
  if (!is_root(part) && !part.has_separator && part.field_count > 0 && part.body == part.end) return false;
  return !is_attachment(message, part);
}

bool is_sealed(const Part& part) {
  if (part.type == "multipart") return part.subtype == "signed" || part.subtype == "encrypted";
  return part.type == "application" && (part.subtype == "pkcs7-mime" || part.subtype == "x-pkcs7-mime");
}

bool fits_lines(std::string_view octets) {
  while (octets.size() > kMaxLineOctets) {
    const auto feed = octets.substr(0, kMaxLineOctets + 2).rfind('\n');
    if (feed == std::string_view::npos) return false;
    octets.remove_prefix(feed + 1);
  }
  return true;
}

}  // namespace rules
