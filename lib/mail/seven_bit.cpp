#include "lib/mail/seven_bit.h"

#include <algorithm>
#include <vector>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/message.h"

namespace mail {
namespace {

namespace text = base::text;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kEncodingName = "Content-Transfer-Encoding";

// What stands instead of some octets of the message.
struct Edit {
  std::size_t offset, octets;
  std::string instead;
};

class Converter {
 public:
  explicit Converter(std::string_view octets) : octets_(octets), message_(Message::index(octets)) {}

  std::expected<std::string, std::string> convert() {
    if (message_.limit() != Message::Limit::None) return std::unexpected("its parts are too many or too deep");
    for (const auto& part : message_.parts())
      if (std::string why = convert(part); !why.empty()) return std::unexpected(std::move(why));
    return edited();
  }

 private:
  // "" or why not.
  std::string convert(const Part& part) {
    if (part.kind == Part::Kind::Leaf) return convert_leaf(part);
    if (is_identity(part.encoding) && part.encoding != TransferEncoding::SevenBit) set_encoding(part, "7bit");
    if (part.kind == Part::Kind::Multipart) {
      clean(part.body, part.preamble_end);
      clean(part.epilogue, part.end);
    }
    return {};
  }

  std::string convert_leaf(const Part& part) {
    const auto body = message_.body(part);
    if (!is_identity(part.encoding) || !base::utf8::has_8bit(body)) return {};
    if (is_sealed(part)) return "it is signed or encrypted as it stands";
    // RFC 2046 section 5.2: no encoding but 7bit, 8bit and binary; RFC 6532 section 3.7 has made an exception.
    if (part.type == "message" && !part.subtype.starts_with("global")) return "its part of type message/" + text::printable(part.subtype, 40) + " has no other encoding";
    const bool is_text = part.type == "text" && part.encoding != TransferEncoding::Binary;
    if (part.parent == kNoPart) make_mime(part);
    set_encoding(part, is_text ? "quoted-printable" : "base64");
    std::string encoded;
    if (is_text) {
      encode_quoted_printable(encoded, body, kLineEnd);
    } else {
      encode_base64_lines(encoded, body, kLineEnd);
    }
    edits_.push_back({part.body, body.size(), std::move(encoded)});
    return {};
  }

  // In an envelope that covers its octets: RFC 1847 sections 2.1 and 2.2.
  [[nodiscard]] bool is_sealed(const Part& part) const {
    for (auto at = part.parent; at != kNoPart; at = message_.parts()[at].parent) {
      const auto& outer = message_.parts()[at];
      if (outer.type == "multipart" && (outer.subtype == "signed" || outer.subtype == "encrypted")) return true;
    }
    return false;
  }

  void make_mime(const Part& root) {
    std::string fields;
    if (message_.find(root, "MIME-Version") == nullptr) append_field(fields, "MIME-Version", "1.0");
    if (message_.find(root, "Content-Type") == nullptr) append_field(fields, "Content-Type", "text/plain; charset=unknown-8bit");
    if (!fields.empty()) edits_.push_back({end_of_fields(root), 0, std::move(fields)});
  }

  // In the place of the field that there is, of which later ones have no meaning; behind the others if there is none.
  void set_encoding(const Part& part, std::string_view encoding) {
    std::string instead;
    append_field(instead, kEncodingName, encoding);
    bool is_there = false;
    for (const auto& field : message_.fields(part)) {
      if (!text::equal_ignoring_case(field.name, kEncodingName)) continue;
      edits_.push_back({field.offset, end_of(field) - field.offset, is_there ? std::string() : instead});
      is_there = true;
    }
    if (!is_there) edits_.push_back({end_of_fields(part), 0, std::move(instead)});
  }

  // Text that nobody is shown, before the first and behind the last part.
  void clean(std::size_t begin, std::size_t end) {
    if (begin >= end || !base::utf8::has_8bit(octets_.substr(begin, end - begin))) return;
    std::string cleaned(octets_.substr(begin, end - begin));
    std::ranges::replace_if(cleaned, [](char c) { return static_cast<unsigned char>(c) > 127; }, '?');
    edits_.push_back({begin, end - begin, std::move(cleaned)});
  }

  static void append_field(std::string& out, std::string_view name, std::string_view body) { out.append(name).append(": ").append(body).append(kLineEnd); }

  [[nodiscard]] std::size_t end_of(const Field& field) const {
    auto end = static_cast<std::size_t>(field.body.data() - octets_.data()) + field.body.size();
    if (end < octets_.size() && octets_[end] == '\r') ++end;
    if (end < octets_.size() && octets_[end] == '\n') ++end;
    return end;
  }
  [[nodiscard]] std::size_t end_of_fields(const Part& part) const {
    const auto fields = message_.fields(part);
    return fields.empty() ? part.offset : end_of(fields.back());
  }

  // Parts come in their order, but the epilogue of one comes behind its children.
  std::string edited() {
    std::ranges::stable_sort(edits_, {}, &Edit::offset);
    std::string out;
    std::size_t at = 0;
    for (const auto& edit : edits_) {
      out.append(octets_.substr(at, edit.offset - at)).append(edit.instead);
      at = edit.offset + edit.octets;
    }
    return out.append(octets_.substr(at));
  }

  std::string_view octets_;
  Message message_;
  std::vector<Edit> edits_;
};

}  // namespace

std::expected<std::string, std::string> to_seven_bit(std::string_view message) { return Converter(message).convert(); }

}  // namespace mail
