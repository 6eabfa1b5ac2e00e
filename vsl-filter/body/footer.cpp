#include "vsl-filter/body/footer.h"

#include <sys/random.h>

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "lib/mail/mime.h"
#include "vsl-filter/transaction/mime_parts.h"

namespace rules {
namespace {

namespace text = base::text;
using mail::kNoPart;
using mail::Part;
using mail::TransferEncoding;

std::vector<std::string_view> lines_of(std::string_view all) {
  std::vector<std::string_view> lines;
  while (!all.empty()) {
    const auto feed = all.find('\n');
    auto line = all.substr(0, feed);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    all.remove_prefix(feed == std::string_view::npos ? all.size() : feed + 1);
  }
  return lines;
}

std::string joined(const std::vector<std::string_view>& lines, std::string_view line_end) {
  std::string all;
  for (std::size_t i = 0; i < lines.size(); ++i) (all += i == 0 ? std::string_view() : line_end) += lines[i];
  return all;
}

// A line as format=flowed has it (RFC 3676 section 4): fixed, so no blank at its end but in the "-- " of section 4.3, and stuffed
// (section 4.4).
std::string flowed_line(std::string_view line) {
  if (line != "-- ")
    while (line.ends_with(' ')) line.remove_suffix(1);
  const bool is_stuffed = line.starts_with(' ') || line.starts_with('>') || line.starts_with("From ");
  return (is_stuffed ? " " : "") + std::string(line);
}

// All in ASCII, so that any charset has it.
std::string html_of(std::string_view utf8, bool is_markup, std::string_view line_end) {
  std::string html;
  for (const auto line : lines_of(utf8)) {
    if (!html.empty()) html.append(is_markup ? "" : "<br>").append(line_end);
    for (std::size_t i = 0; i < line.size();) {
      const auto octets = std::max<std::size_t>(base::utf8::sequence_octets(line.substr(i)), 1);
      const char c = line[i];
      if (octets > 1) {
        char32_t code_point = static_cast<unsigned char>(c) & (0xFFU >> (octets + 1));
        for (std::size_t k = 1; k < octets; ++k) code_point = code_point << 6 | (static_cast<unsigned char>(line[i + k]) & 0x3FU);
        html.append("&#").append(std::to_string(static_cast<std::uint32_t>(code_point))).append(";");
      } else if (!is_markup && (c == '&' || c == '<' || c == '>' || c == '"')) {
        html += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&quot;";
      } else {
        html += c;
      }
      i += octets;
    }
  }
  return is_markup ? html : "<div>" + html + "</div>";
}

// Where a footer of HTML goes: in front of the last end tag of the body, else of all.
std::size_t end_of_html(std::string_view html) {
  for (const std::string_view tag : {"</body", "</html"})
    for (auto at = html.rfind("</"); at != std::string_view::npos; at = at == 0 ? std::string_view::npos : html.rfind("</", at - 1))
      if (text::starts_with_ignoring_case(html.substr(at), tag)) return at;
  return html.size();
}

// Whether ASCII is in a text of this charset what it is in ASCII.
bool has_ascii(std::string_view charset) {
  constexpr std::string_view kSample = "</body> AZaz09 \r\n~{}+&;";
  return charset.empty() || mail::from_utf8(kSample, charset) == kSample;
}

std::string boundary() {
  std::array<unsigned char, 18> random{};
  (void)::getrandom(random.data(), random.size(), 0);
  std::string name = "=_";  // never in quoted-printable or base64 (RFC 2045 section 6.7)
  mail::encode_base64(name, std::string_view(reinterpret_cast<const char*>(random.data()), random.size()));
  return name;
}

class FooterWriter {
 public:
  FooterWriter(const mail::Message& message, const Footer& footer, std::string_view line_end, std::size_t limit)
      : message_(message), footer_(footer), limit_(limit), editor_(message, line_end) {}

  std::optional<BodyEdit> run() {
    const Part& root = message_.root();
    if (is_sealed(root) || is_report(root)) return std::nullopt;
    if (!put_in(root)) {
      if (root.kind == Part::Kind::Multipart && root.subtype == "mixed" && root.first_child != kNoPart) {
        append_part(root);
      } else {
        wrap(root);
      }
    }
    return std::move(editor_).finish();
  }

 private:
  static bool is_report(const Part& part) { return part.type == "multipart" && part.subtype == "report"; }
  [[nodiscard]] const Part& at(std::uint32_t index) const { return message_.parts()[index]; }
  [[nodiscard]] std::string nl() const { return std::string(editor_.line_end()); }

  // False: nothing in it can take a footer.
  bool put_in(const Part& part) {
    if (is_readable_text(message_, part)) return put_in_text(part);
    if (part.kind != Part::Kind::Multipart || is_sealed(part) || is_report(part) || part.subtype == "digest") return false;
    if (part.first_child == kNoPart) return false;
    if (part.subtype == "related") return put_in(related_root(part));
    const bool is_alternative = part.subtype == "alternative";
    bool is_in = false;
    for (auto child = part.first_child; child != kNoPart; child = at(child).next_sibling) {
      if (is_attachment(message_, at(child))) continue;
      is_in = put_in(at(child)) || is_in;
      if (is_in && !is_alternative) return true;  // of parts that are shown one after the other the first text is the body
    }
    return is_in;
  }

  // RFC 2387 section 3.2: the part that "start" names, else the first; there is one.
  [[nodiscard]] const Part& related_root(const Part& related) const {
    const auto* field = message_.find(related, "Content-Type");
    const auto type = field == nullptr ? std::nullopt : mail::parse_content_type(field->body);
    if (const auto* start = type ? type->parameter("start") : nullptr)
      for (auto child = related.first_child; child != kNoPart; child = at(child).next_sibling)
        if (const auto* id = message_.find(at(child), "Content-ID"); id != nullptr && text::trim(mail::unfold(id->body)) == *start) return at(child);
    return at(related.first_child);
  }

  bool put_in_text(const Part& part) {
    const bool is_html = part.subtype == "html";
    if (!is_html && part.subtype != "plain") return false;
    const auto raw = message_.body(part);
    const bool is_identity = mail::is_identity(part.encoding), is_large = raw.size() > limit_;
    std::string octets;
    if (!is_identity) {
      if (is_large) return false;
      mail::decode(octets, raw, part.encoding);
    }
    auto charset = charset_of(message_, part);
    std::string_view before = is_identity ? raw : std::string_view(octets);
    const auto line_end = part.encoding != TransferEncoding::Base64 ? editor_.line_end() : before.contains("\r\n") || !before.contains('\n') ? "\r\n" : "\n";
    const auto form = is_html ? html_of(footer_.html ? *footer_.html : footer_.text, footer_.html.has_value(), line_end) : plain_of(part, line_end);

    std::string recoded;
    auto own = mail::from_utf8(form, charset.empty() ? "us-ascii" : charset);
    const bool changes_charset = !own || !has_ascii(charset);
    if (changes_charset) {
      if (is_large || !to_clean_utf8(recoded, before, charset)) return false;
      before = recoded;
      own = form;
    }
    const std::size_t place = is_html ? end_of_html(before) : before.size();
    const auto insertion = between(part, before, place, *own, is_html, line_end);
    const bool needs_encoding = part.encoding == TransferEncoding::SevenBit && base::utf8::has_8bit(insertion) && !base::utf8::has_8bit(raw);
    if (is_identity && !changes_charset && !needs_encoding && fits_lines(insertion)) {
      editor_.insert(part.body + place, insertion + (place == raw.size() ? std::string(editor_.line_end_at(part.end)) : ""));
      return true;
    }
    if (is_large) return false;
    if (changes_charset) editor_.set_charset(part, "utf-8");
    editor_.write(part, std::string(before.substr(0, place)) + insertion + std::string(before.substr(place)));
    return true;
  }

  // False: not all of it is text of that charset.
  static bool to_clean_utf8(std::string& utf8, std::string_view octets, std::string_view charset) {
    const bool is_ascii = charset.empty() || charset == "us-ascii";  // many say so, and mean UTF-8
    if (is_ascii && base::utf8::is_valid(octets)) {
      utf8 = octets;
      return true;
    }
    auto converted = is_ascii ? std::nullopt : mail::to_utf8(octets, charset);
    if (!converted || converted->contains("\xEF\xBF\xBD")) return false;
    utf8 = std::move(*converted);
    return true;
  }

  [[nodiscard]] bool is_flowed(const Part& part) const {
    const auto* field = message_.find(part, "Content-Type");
    const auto type = field == nullptr ? std::nullopt : mail::parse_content_type(field->body);
    const auto* format = type ? type->parameter("format") : nullptr;
    return format != nullptr && text::equal_ignoring_case(*format, "flowed");
  }

  [[nodiscard]] std::string plain_of(const Part& part, std::string_view line_end) const {
    const auto lines = lines_of(footer_.text);
    if (!is_flowed(part)) return joined(lines, line_end);
    std::string all;
    for (std::size_t i = 0; i < lines.size(); ++i) (all += i == 0 ? std::string_view() : line_end) += flowed_line(lines[i]);
    return all;
  }

  // The footer with what keeps it apart from the text around it.
  [[nodiscard]] std::string between(const Part& part, std::string_view before, std::size_t place, const std::string& footer, bool is_html, std::string_view line_end) const {
    std::string front;
    const auto text_before = before.substr(0, place);
    const bool ends_line = text_before.empty() || text_before.ends_with('\n');
    if (!ends_line) front += line_end;
    // A flowed line would run on into the footer: an empty line ends its paragraph.
    if (!is_html && is_flowed(part)) {
      auto last = text_before;
      if (last.ends_with('\n')) last.remove_suffix(1);
      if (last.ends_with('\r')) last.remove_suffix(1);
      last = last.substr(last.rfind('\n') + 1);
      if (last.ends_with(' ') && last != "-- ") front += line_end;
    }
    const bool needs_end = place < before.size() || part.parent == kNoPart || (ends_line && !text_before.empty());
    return front + footer + std::string(needs_end ? line_end : std::string_view());
  }

  [[nodiscard]] std::string part_text() const {
    std::string content = joined(lines_of(footer_.text), nl());
    const bool is_ascii = !base::utf8::has_8bit(content);
    std::string part = "Content-Type: text/plain; charset=" + std::string(is_ascii ? "us-ascii" : "utf-8") + nl() + "Content-Disposition: inline" + nl();
    if (is_ascii && fits_lines(content)) return part + nl() + content;
    part += "Content-Transfer-Encoding: quoted-printable" + nl() + nl();
    mail::encode_quoted_printable(part, content, nl());
    return part;
  }

  void append_part(const Part& mixed) {
    auto last = mixed.first_child;
    while (at(last).next_sibling != kNoPart) last = at(last).next_sibling;
    const auto place = at(last).end;
    auto put = nl() + "--" + mixed.boundary + nl() + part_text();
    if (!mixed.is_closed) put += nl() + "--" + mixed.boundary + "--" + nl();
    editor_.insert(place, put + std::string(editor_.line_end_at(place)));
  }

  // What the message was becomes the first part of a multipart/mixed.
  void wrap(const Part& root) {
    const auto name = boundary();
    std::string front = "--" + name + nl();
    for (const auto& field : message_.fields(root)) {
      if (!text::starts_with_ignoring_case(field.name, "Content-")) continue;
      const auto start = message_.octets().substr(field.offset);
      front += start.substr(0, static_cast<std::size_t>(field.body.data() + field.body.size() - start.data()));
      front += nl();
      editor_.remove_root_field(field.name);
    }
    editor_.set_field(root, "Content-Type", " multipart/mixed; boundary=\"" + name + "\"");
    if (root.encoding == TransferEncoding::EightBit || root.encoding == TransferEncoding::Binary)
      editor_.set_field(root, "Content-Transfer-Encoding", " " + std::string(mail::name_of(root.encoding)));
    editor_.insert(root.body, front + nl());
    editor_.insert(message_.octets().size(), nl() + "--" + name + nl() + part_text() + nl() + "--" + name + "--" + nl());
  }

  const mail::Message& message_;
  const Footer& footer_;
  std::size_t limit_;
  PartEditor editor_;
};

}  // namespace

std::optional<BodyEdit> footer_edit(const mail::Message& message, const Footer& footer, std::string_view line_end, std::size_t limit) {
  return FooterWriter(message, footer, line_end, limit).run();
}

}  // namespace rules
