// Headers: which lines are fields, which fields must or may not be there. RFC 5322 sections 2.2 and 3.6, RFC 2045 section 4.
#include <algorithm>
#include <map>

#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/mail/mailbox_list.h"
#include "lib/lint/check.h"

namespace lint {
namespace {

bool is_mime_field(const mail::Field& field) { return base::text::starts_with_ignoring_case(field.name, "Content-"); }

class HeaderChecker {
 public:
  HeaderChecker(const Subject& subject, const mail::Part& part) : subject_(subject), part_(part), fields_(subject.message.fields(part)) {}

  void run() {
    for (const auto& field : fields_) {
      if (field.name.empty()) {
        check_odd_line(field);
      } else {
        check_name(field);
        check_octets(field);
        check_field(subject_, field);
        check_encoded_words(subject_, field);
      }
    }
    check_duplicates();
    check_end();
    if (part_.parent == mail::kNoPart) check_required();
  }

 private:
  void add(Id id, std::size_t offset, std::size_t length = 1, std::string detail = {}) { subject_.findings.add(id, offset, length, std::move(detail)); }

  // A line in front of the first field that is none, or a field with an empty name.
  void check_odd_line(const mail::Field& field) {
    const auto line = subject_.message.octets().substr(field.offset, field.body.size());
    if (line.starts_with("From ") || line.starts_with(">From ")) return add(Id::MboxLine, field.offset, line.size());
    if (subject_.message.octets()[field.offset] == ':') return add(Id::BadFieldName, field.offset);
    add(Id::StrayContinuation, field.offset, line.size());
  }

  void check_name(const mail::Field& field) {
    if (base::utf8::has_8bit(field.name)) add(Id::BadFieldName, field.offset, field.name.size());
    const auto behind_name = field.offset + field.name.size();
    const auto colon = subject_.offset_of(field.body) - 1;
    if (colon > behind_name) add(Id::SpaceBeforeColon, behind_name, colon - behind_name);
  }

  void check_octets(const mail::Field& field) {
    const auto start = subject_.offset_of(field.body);
    if (base::utf8::has_8bit(field.body)) {
      const auto first = std::ranges::find_if(field.body, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
      const auto offset = start + static_cast<std::size_t>(first - field.body.begin());
      add(base::utf8::is_valid(field.body) ? Id::Utf8Header : Id::Header8bit, offset, 1, std::string(field.name));
    }
    const auto control = std::ranges::find_if(field.body, [](char c) {
      const auto octet = static_cast<unsigned char>(c);
      return (octet < 32 && c != '\t' && c != '\r' && c != '\n' && c != '\0') || octet == 127;  // CR, LF and NUL are said as such
    });
    if (control != field.body.end()) add(Id::ControlInHeader, start + static_cast<std::size_t>(control - field.body.begin()));
    check_folding(field, start);
  }

  void check_folding(const mail::Field& field, std::size_t start) {
    for (auto feed = field.body.find('\n'); feed != std::string_view::npos;) {
      const auto next = field.body.find('\n', feed + 1);
      auto line = field.body.substr(feed + 1, next == std::string_view::npos ? next : next - feed - 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (base::text::trim(line).empty()) add(Id::BlankFoldedLine, start + feed + 1, std::max<std::size_t>(line.size(), 1));
      feed = next;
    }
  }

  // A trace of resending may be there several times; all else that is unique is so in each header.
  void check_duplicates() {
    std::map<const mail::FieldRow*, const mail::Field*> seen;
    for (const auto& field : fields_) {
      const auto* row = mail::find_known_field(field.name);
      if (row == nullptr || !row->is_unique) continue;
      const auto [first, is_new] = seen.emplace(row, &field);
      if (!is_new) add(Id::DuplicateField, field.offset, field.name.size(), std::string(row->name) + ", first in line " + std::to_string(first->second->line));
    }
  }

  void check_end() {
    if (part_.has_separator || part_.body == part_.end) return;
    const bool is_message = part_.parent == mail::kNoPart || subject_.message.parts()[part_.parent].kind == mail::Part::Kind::Message;
    if (fields_.empty() && is_message) return add(Id::NoHeader, part_.offset);
    add(Id::NotAField, part_.body);
  }

  void check_required() {
    if (fields_.empty() && part_.has_separator) return add(Id::NoHeader, part_.offset);
    if (fields_.empty()) {
      if (subject_.message.octets().empty()) add(Id::NoHeader, 0);
      return;
    }
    for (const auto& row : mail::known_fields())
      if (row.is_required && subject_.message.find(row.name) == nullptr) add(Id::MissingField, part_.offset, 1, std::string(row.name));
    if (subject_.message.find("Message-ID") == nullptr) add(Id::NoMessageId, part_.offset);
    check_sender();
    check_mime_version();
  }

  void check_sender() {
    const auto* from = subject_.message.find("From");
    if (from == nullptr || subject_.message.find("Sender") != nullptr) return;
    if (mail::parse_address_list(from->body, 2).mailboxes().size() > 1) add(Id::MissingSender, from->offset, from->name.size());
  }

  void check_mime_version() {
    if (subject_.message.find("MIME-Version") != nullptr) return;
    const auto first = std::ranges::find_if(fields_, is_mime_field);
    if (first != fields_.end()) add(Id::NoMimeVersion, first->offset, first->name.size());
  }

  const Subject& subject_;
  const mail::Part& part_;
  std::span<const mail::Field> fields_;
};

}  // namespace

void check_header(const Subject& subject) {
  for (const auto& part : subject.message.parts()) HeaderChecker(subject, part).run();
}

}  // namespace lint
