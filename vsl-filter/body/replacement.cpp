#include "vsl-filter/body/replacement.h"

#include <algorithm>

#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "vsl-filter/transaction/mime_parts.h"

namespace rules {
namespace {

using base::Fault;
using mail::Part;

bool is_utf8_name(std::string_view charset) { return charset == "utf-8" || charset == "utf8"; }
bool is_ascii_name(std::string_view charset) { return charset.empty() || charset == "us-ascii" || charset == "ascii"; }

// Text of a charset that is neither UTF-8 nor ASCII, if all of it is one.
std::optional<std::string> converted(std::string_view octets, std::string_view charset) {
  if (is_utf8_name(charset) || is_ascii_name(charset)) return std::nullopt;
  auto utf8 = mail::to_utf8(octets, charset);
  if (utf8 && utf8->contains("\xEF\xBF\xBD")) return std::nullopt;
  return utf8;
}

auto count_8bit(std::string_view octets) { return std::ranges::count_if(octets, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; }); }

std::unexpected<base::Error> too_large(std::string_view what, std::size_t limit) {
  return base::fail(Fault::Permanent, std::string(what) + " more than " + std::to_string(limit) + " octets");
}

class Replacer {
 public:
  Replacer(const mail::Message& message, const Rewrite& rewrite, std::string_view line_end, std::size_t limit)
      : message_(message), rewrite_(rewrite), limit_(limit), editor_(message, line_end) {}

  base::Result<Replacement> run() {
    std::vector<bool> is_closed(message_.parts().size());  // to changes
    for (std::size_t i = 0; i < message_.parts().size(); ++i) {
      const Part& part = message_.parts()[i];
      is_closed[i] = (part.parent != mail::kNoPart && is_closed[part.parent]) || is_sealed(part) || part.kind == Part::Kind::Message;
      if (is_closed[i] || !is_readable_text(message_, part)) continue;
      if (const auto done = replace_in(part); !done) return std::unexpected(done.error());
    }
    return Replacement{std::move(editor_).finish(), count_};
  }

 private:
  base::Result<void> replace_in(const Part& part) {
    const auto raw = message_.body(part);
    if (raw.size() > limit_) {
      if (mail::is_identity(part.encoding)) return stream(part, raw);
      return too_large("a text part in " + std::string(mail::name_of(part.encoding)) + " has", limit_);
    }
    std::string octets;
    mail::decode(octets, raw, part.encoding);
    const auto charset = charset_of(message_, part);
    const auto utf8 = converted(octets, charset);
    const std::string& before = utf8 ? *utf8 : octets;
    std::string after;
    const auto count = rewrite_(before, [&](std::string_view piece) -> base::Result<void> {
      if (after.size() + piece.size() > before.size() + limit_) return too_large("the text would grow by", limit_);
      after += piece;
      return {};
    });
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return {};
    count_ += *count;
    return utf8 ? write_back(part, after, charset) : write_octets(part, before, after, charset);
  }

  // Text that was converted.
  base::Result<void> write_back(const Part& part, const std::string& utf8, std::string_view charset) {
    if (const auto octets = mail::from_utf8(utf8, charset)) {
      editor_.write(part, *octets);
    } else {
      editor_.set_charset(part, "utf-8");
      editor_.write(part, utf8);
    }
    return {};
  }

  // Octets that are text of UTF-8, of no charset that is said, or of one that nobody here knows.
  base::Result<void> write_octets(const Part& part, std::string_view before, const std::string& after, std::string_view charset) {
    if (count_8bit(after) > count_8bit(before) && !is_utf8_name(charset)) {
      if (!is_ascii_name(charset) || !base::utf8::is_valid(after))
        return base::fail(Fault::Permanent, "the new text cannot be written in a part of charset '" + std::string(charset) + "'");
      editor_.set_charset(part, "utf-8");
    }
    editor_.write(part, after);
    return {};
  }

  base::Result<void> stream(const Part& part, std::string_view raw) {
    const base::BlobWriter::Limits limits;
    base::BlobWriter writer(limits);
    bool is_ascii = true;
    const auto count = rewrite_(raw, [&](std::string_view piece) -> base::Result<void> {
      if (writer.size() + piece.size() > raw.size() + limit_) return too_large("the text would grow by", limit_);
      is_ascii = is_ascii && !base::utf8::has_8bit(piece);
      return writer.append(piece);
    });
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return {};
    if (!is_ascii && !base::utf8::has_8bit(raw)) return too_large("text beyond ASCII in a part that has", limit_);
    count_ += *count;
    editor_.splice(part.body, raw.size(), Body::Piece::of(writer.finish()));
    return {};
  }

  const mail::Message& message_;
  const Rewrite& rewrite_;
  std::size_t limit_;
  PartEditor editor_;
  std::uint64_t count_ = 0;
};

}  // namespace

base::Result<Replacement> replace_in_texts(const mail::Message& message, const Rewrite& rewrite, std::string_view line_end, std::size_t limit) {
  return Replacer(message, rewrite, line_end, limit).run();
}

bool decoded_texts_match(const mail::Message& message, const std::function<bool(std::string_view text)>& matches, std::size_t limit) {
  for (const Part& part : message.parts()) {
    if (!is_readable_text(message, part)) continue;
    const auto raw = message.body(part);
    const auto charset = charset_of(message, part);
    const bool is_as_sent = mail::is_identity(part.encoding) && (is_utf8_name(charset) || is_ascii_name(charset));
    if (is_as_sent || raw.size() > limit) continue;
    std::string octets;
    mail::decode(octets, raw, part.encoding);
    const auto utf8 = converted(octets, charset);
    if (matches(utf8 ? *utf8 : octets)) return true;
  }
  return false;
}

}  // namespace rules
