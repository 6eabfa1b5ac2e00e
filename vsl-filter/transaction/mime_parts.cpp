#include "vsl-filter/transaction/mime_parts.h"

#include <algorithm>

#include "lib/base/text.h"
#include "lib/mail/charset.h"
#include "lib/mail/date.h"
#include "lib/mail/encoded_word.h"
#include "lib/mail/mailbox_list.h"
#include "lib/mail/mime.h"

namespace rules {
namespace {

using mail::Message;
using mail::Part;

struct Names {
  std::string filename;
  bool is_attachment = false;
};

// RFC 2047 section 5 forbids encoded words in parameters; those who send them hide a name that way all the same.
std::string readable(const std::string& name) { return name.contains("=?") ? mail::decode_text(name) : name; }

Names names_of(const Message& message, const Part& part) {
  Names names;
  if (const auto* field = message.find(part, "Content-Disposition")) {
    if (const auto disposition = mail::parse_content_disposition(field->body)) {
      names.is_attachment = disposition->value != "inline";  // RFC 2183 section 2.8: others are attachments
      if (const auto* name = disposition->parameter("filename")) names.filename = readable(*name);
    }
  }
  if (names.filename.empty()) {
    if (const auto* field = message.find(part, "Content-Type")) {
      const auto type = mail::parse_content_type(field->body);
      const auto* name = type ? type->parameter("name") : nullptr;
      if (name != nullptr) names.filename = readable(*name);
    }
  }
  if (part.kind == Part::Kind::Leaf && !names.filename.empty()) names.is_attachment = true;
  return names;
}

// The path of each part. Children of a multipart count from 1; the one child of a message has the message's own path if it is a
// multipart itself, else PATH.1.
std::vector<std::string> paths_of(const Message& message) {
  const auto parts = message.parts();
  std::vector<std::string> paths(parts.size());
  std::vector<std::uint32_t> children(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    if (part.parent == mail::kNoPart) {
      if (part.kind != Part::Kind::Multipart) paths[i] = "1";
      continue;
    }
    const std::string& above = paths[part.parent];
    const bool is_inner_message = parts[part.parent].kind == Part::Kind::Message;
    if (is_inner_message && part.kind == Part::Kind::Multipart) {
      paths[i] = above;
    } else {
      paths[i] = (above.empty() ? "" : above + ".") + std::to_string(++children[part.parent]);
    }
  }
  return paths;
}

std::string text_of(const Message& message, const Part& part, std::size_t limit) {
  std::string octets;
  mail::decode(octets, message.body(part).substr(0, limit), part.encoding);
  std::string charset = "us-ascii";
  if (const auto* field = message.find(part, "Content-Type"))
    if (const auto type = mail::parse_content_type(field->body))
      if (const auto* parameter = type->parameter("charset")) charset = *parameter;
  if (auto text = mail::to_utf8(octets, charset)) return std::move(*text);
  return mail::valid_utf8(octets);
}

}  // namespace

std::vector<PartFacts> part_facts(const Message& message) {
  const auto paths = paths_of(message);
  std::vector<PartFacts> all;
  all.reserve(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const Part& part = message.parts()[i];
    auto names = names_of(message, part);
    all.push_back({part.type + "/" + part.subtype, std::move(names.filename), std::string(mail::name_of(part.encoding)), paths[i], part.end - part.body, names.is_attachment});
  }
  return all;
}

std::uint32_t part_at(const Message& message, std::string_view path) {
  const auto paths = paths_of(message);
  const auto found = std::ranges::find(paths, path);
  return found == paths.end() ? mail::kNoPart : static_cast<std::uint32_t>(found - paths.begin());
}

bool is_attachment(const Message& message, const Part& part) { return names_of(message, part).is_attachment; }

bool is_multipart(const Message& message) { return message.root().kind == Part::Kind::Multipart; }

std::string part_text(const Message& message, std::size_t limit) {
  const Part* other = nullptr;
  for (const Part& part : message.parts()) {
    if (part.kind != Part::Kind::Leaf || part.type != "text" || names_of(message, part).is_attachment) continue;
    if (part.subtype == "plain") return text_of(message, part, limit);
    if (other == nullptr) other = &part;
  }
  return other == nullptr ? std::string() : text_of(message, *other, limit);
}

std::vector<NamedAddress> named_addresses(const std::vector<std::string_view>& bodies) {
  std::vector<NamedAddress> all;
  for (const auto body : bodies) {
    const auto list = mail::parse_address_list(body);
    for (const auto* mailbox : list.mailboxes()) all.push_back({mailbox->name, mailbox->address});
  }
  return all;
}

std::string decoded_field(std::string_view body) { return mail::decode_unstructured(body); }

std::optional<base::WallTime> field_date(std::string_view body) {
  const auto date = mail::parse_date_time(body);
  if (!date) return std::nullopt;
  return base::WallTime(date->time());
}

}  // namespace rules
