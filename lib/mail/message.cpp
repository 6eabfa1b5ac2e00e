#include "lib/mail/message.h"

#include <algorithm>
#include <cstring>

#include "lib/base/text.h"
#include "lib/mail/field_scan.h"
#include "lib/mail/mime.h"

namespace mail {
namespace {

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && base::text::is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_message(const Part& part) {
  return part.type == "message" && (part.subtype == "rfc822" || part.subtype == "global");  // RFC 2046 section 5.2.1, RFC 6532 section 3.7
}

}  // namespace

class Message::Indexer {
 public:
  Indexer(Message& message, const Limits& limits) : message_(message), octets_(message.octets_), limits_(limits) {}

  void run() {
    open_part(kNoPart);
    while (!open_.empty() && at_ < octets_.size()) {
      if (octets_[at_] == '-' && octets_.substr(at_).starts_with("--")) {
        const auto line = line_at(octets_, at_);
        if (const auto found = find_delimiter(line.text); found.level != kNone) {
          take_delimiter(found, line);
        } else {
          advance(line.next);
        }
        continue;
      }
      // Nearly all octets of a message are passed over here.
      const auto feed = octets_[at_] == '\n' ? at_ : octets_.find('\n', at_);
      advance(feed == std::string_view::npos ? octets_.size() : feed + 1);
    }
    close_down_to(0, octets_.size());
    parts()[0].end = octets_.size();
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Delimiter {
    std::size_t level = kNone;  // in open_
    bool is_close = false;
  };

  std::vector<Part>& parts() { return message_.parts_; }

  void advance(std::size_t next) {
    at_ = next;
    ++line_;
  }
  void reach(Limit limit) {
    if (message_.limit_ != Limit::None) return;
    message_.limit_ = limit;
    message_.limit_offset_ = at_;
  }

  // delimiter := "--" boundary *LWSP-char; close-delimiter has "--" before the blanks. Innermost first, since boundaries may
  // begin alike; the delimiter of an outer part ends the inner ones too (RFC 2046 section 5.1.2).
  [[nodiscard]] Delimiter find_delimiter(std::string_view line) const {
    const auto text = without_trailing_blanks(line.substr(2));
    if (const auto level = level_of(text); level != kNone) return {level, false};
    if (!text.ends_with("--")) return {};
    return {level_of(text.substr(0, text.size() - 2)), true};
  }

  [[nodiscard]] std::size_t level_of(std::string_view boundary) const {
    const auto key = key_of(boundary);
    for (std::size_t level = keys_.size(); level-- > 0;)
      if (keys_[level] == key && open_[level].boundary == boundary) return level;
    return kNone;
  }
  // A number to compare before octets are: a message may be nothing but lines that look like delimiters.
  static std::uint64_t key_of(std::string_view boundary) {
    std::uint64_t front = 0, back = 0;
    const auto octets = std::min<std::size_t>(boundary.size(), 8);
    std::memcpy(&front, boundary.data(), octets);
    std::memcpy(&back, boundary.data() + boundary.size() - octets, octets);
    return front + back * 31 + boundary.size();
  }
  void push_open(std::uint32_t part) {
    open_.push_back({part, parts()[part].boundary});
    keys_.push_back(key_of(parts()[part].boundary));
  }
  void shrink_open(std::size_t level) {
    open_.resize(level);
    keys_.resize(level);
  }

  void take_delimiter(Delimiter delimiter, const Line& line) {
    const auto multipart = open_[delimiter.level].part;
    const auto line_end = at_ + line.text.size();
    // Unless it follows the delimiter before it, or the empty line of the header, whose line end that is.
    std::size_t end = at_;
    if (end > content_start_) --end;
    if (end > content_start_ && octets_[end - 1] == '\r') --end;
    close_down_to(delimiter.level + 1, end);
    if (parts()[multipart].first_child == kNoPart && parts()[multipart].preamble_end == kNone) parts()[multipart].preamble_end = end;
    advance(line.next);
    content_start_ = at_;
    if (delimiter.is_close) {
      parts()[multipart].is_closed = true;
      parts()[multipart].epilogue = at_;
      content_start_ = line_end;  // a delimiter of an outer part that follows at once owns this line's end
      shrink_open(delimiter.level);
      return;
    }
    if (parts().size() >= limits_.parts) return reach(Limit::Parts);
    open_part(multipart);
  }

  // Ends all that is open inside of the multipart at `level` - 1: its parts, and multiparts that were not closed.
  void close_down_to(std::size_t level, std::size_t end) {
    const auto stop = level == 0 ? kNoPart : open_[level - 1].part;
    for (auto part = last_; part != stop && part != kNoPart; part = parts()[part].parent) {
      auto& closed = parts()[part];
      closed.end = std::max(end, closed.body);
      if (closed.kind != Part::Kind::Multipart) continue;
      if (closed.preamble_end == kNone) closed.preamble_end = closed.end;
      if (!closed.is_closed) closed.epilogue = closed.end;
      closed.epilogue = std::min(closed.epilogue, closed.end);
    }
    shrink_open(level);
    last_ = stop;
  }

  void open_part(std::uint32_t parent) {
    // Loops where a message is in a message, which begins where its own header ends.
    for (;;) {
      const auto index = static_cast<std::uint32_t>(parts().size());
      parts().emplace_back();
      link(index, parent);
      read_header(index);
      classify(index);
      last_ = index;
      content_start_ = at_;
      if (parts()[index].kind == Part::Kind::Multipart) push_open(index);
      if (parts()[index].kind != Part::Kind::Message) return;
      if (parts().size() >= limits_.parts) {
        parts()[index].kind = Part::Kind::Leaf;
        return reach(Limit::Parts);
      }
      parent = index;
    }
  }

  void link(std::uint32_t index, std::uint32_t parent) {
    auto& part = parts()[index];
    part.parent = parent;
    part.offset = part.body = part.end = at_;
    part.line = part.body_line = line_;
    part.preamble_end = kNone;
    part.first_field = static_cast<std::uint32_t>(message_.fields_.size());
    if (parent == kNoPart) return;
    part.depth = static_cast<std::uint16_t>(parts()[parent].depth + 1);
    if (parts()[parent].first_child == kNoPart) {
      parts()[parent].first_child = index;
    } else {
      parts()[last_child_of(parent)].next_sibling = index;
    }
    if (last_children_.size() <= part.depth) last_children_.resize(part.depth + 1U);
    last_children_[part.depth] = index;
  }
  // The sibling before a new part was the last one linked at its depth.
  [[nodiscard]] std::uint32_t last_child_of(std::uint32_t parent) { return last_children_[parts()[parent].depth + 1U]; }

  void read_header(std::uint32_t index) {
    auto& fields = message_.fields_;
    const auto first = fields.size();
    bool is_first_line = true, is_kept = false;
    for (; at_ < octets_.size(); is_first_line = false) {
      const auto line = line_at(octets_, at_);
      if (line.text.empty()) {
        parts()[index].has_separator = true;
        advance(line.next);
        break;
      }
      if (line.text.starts_with("--") && find_delimiter(line.text).level != kNone) break;
      const bool is_continuation = base::text::is_space(line.text.front());
      if (is_continuation && !is_first_line) {
        if (is_kept) extend(fields.back().body, at_ + line.text.size());
      } else {
        const auto name = field_name(line.text);
        // A line that is no field ends the header; only in front of the first field some other thing may stand.
        if (name.empty() && !line.text.starts_with(':') && !(is_first_line && is_preface(line.text))) break;
        is_kept = fields.size() < limits_.fields;
        if (is_kept) {
          const auto body = name.empty() ? line.text : line.text.substr(line.text.find(':') + 1);
          fields.push_back({name, body, at_, line_});
        } else {
          reach(Limit::Fields);
        }
      }
      advance(line.next);
    }
    auto& part = parts()[index];
    part.field_count = static_cast<std::uint32_t>(fields.size() - first);
    part.body = part.end = at_;
    part.body_line = line_;
  }

  void extend(std::string_view& body, std::size_t end) const {
    const auto start = static_cast<std::size_t>(body.data() - octets_.data());
    body = octets_.substr(start, end - start);
  }

  void classify(std::uint32_t index) {
    auto& part = parts()[index];
    const bool in_digest = part.parent != kNoPart && parts()[part.parent].type == "multipart" && parts()[part.parent].subtype == "digest";
    part.type = in_digest ? "message" : "text";  // RFC 2046 section 5.1.5, RFC 2045 section 5.2
    part.subtype = in_digest ? "rfc822" : "plain";
    if (const auto* encoding = message_.find(part, "Content-Transfer-Encoding")) part.encoding = parse_transfer_encoding(encoding->body).encoding;
    if (const auto* field = message_.find(part, "Content-Type")) {
      if (const auto type = parse_content_type(field->body)) {
        part.type = type->value;
        part.subtype = type->subtype;
        if (const auto* boundary = type->parameter("boundary"); boundary != nullptr && part.type == "multipart") part.boundary = without_trailing_blanks(*boundary);
      }
    }
    const bool is_multipart = part.type == "multipart" && !part.boundary.empty();
    // A message in base64 is against RFC 2046 section 5.2.1; to look inside would need a copy.
    const bool is_nested = is_message(part) && is_identity(part.encoding);
    if (!is_multipart && !is_nested) return;
    if (part.depth >= limits_.depth) return reach(Limit::Depth);
    part.kind = is_multipart ? Part::Kind::Multipart : Part::Kind::Message;
  }

  struct Open {
    std::uint32_t part;
    std::string boundary;
  };

  Message& message_;
  std::string_view octets_;
  Limits limits_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t content_start_ = 0;  // behind the last delimiter or header
  std::vector<Open> open_;         // multiparts whose closing delimiter was not seen, outermost first
  std::vector<std::uint64_t> keys_;  // of their boundaries
  std::vector<std::uint32_t> last_children_;  // by depth
  std::uint32_t last_ = kNoPart;   // the innermost part that is open
};

Message Message::index(std::string_view octets, const Limits& limits) {
  Message message;
  message.octets_ = octets;
  Indexer(message, limits).run();
  return message;
}

const Field* Message::find(const Part& part, std::string_view name) const {
  const auto all = fields(part);
  const auto found = std::ranges::find_if(all, [&](const Field& field) { return base::text::equal_ignoring_case(field.name, name); });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace mail
