#include "lib/mail/field_scan.h"

#include <array>
#include <cstring>

#include "lib/base/text.h"
#include "lib/mail/header.h"

namespace mail {

Line line_at(std::string_view octets, std::size_t offset) {
  const char* const start = octets.data() + offset;
  const auto left = octets.size() - offset;
  const auto* const feed = left == 0 ? nullptr : static_cast<const char*>(std::memchr(start, '\n', left));
  if (feed == nullptr) return {octets.substr(offset), octets.size()};
  const auto length = static_cast<std::size_t>(feed - start);
  const bool has_return = length > 0 && feed[-1] == '\r';
  return {octets.substr(offset, length - (has_return ? 1 : 0)), offset + length + 1};
}

namespace {

constexpr auto kIsOfName = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < table.size(); ++c) table[c] = is_field_name_octet(static_cast<char>(c));
  return table;
}();

}  // namespace

std::string_view field_name(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && kIsOfName[static_cast<unsigned char>(line[end])]) ++end;
  std::size_t colon = end;
  while (colon < line.size() && base::text::is_space(line[colon])) ++colon;
  return colon < line.size() && line[colon] == ':' ? line.substr(0, end) : std::string_view();
}

bool is_preface(std::string_view line) { return base::text::is_space(line.front()) || line.starts_with("From ") || line.starts_with(">From "); }

std::optional<ScannedField> FieldScanner::next() {
  if (at_ >= octets_.size() || has_separator_) return std::nullopt;
  const auto start = at_;
  auto line = line_at(octets_, at_);
  if (line.text.empty()) {
    has_separator_ = true;
    at_ = line.next;
    return std::nullopt;
  }
  ScannedField field;
  field.name = field_name(line.text);
  if (field.name.empty() && !line.text.starts_with(':') && !(start == 0 && is_preface(line.text))) return std::nullopt;  // a body without a separator
  if (!field.name.empty() || line.text.starts_with(':')) field.body = line.text.find(':', field.name.size()) + 1;
  for (at_ = line.next; at_ < octets_.size() && base::text::is_space(octets_[at_]); at_ = line.next) line = line_at(octets_, at_);
  field.octets = octets_.substr(start, at_ - start);
  return field;
}

}  // namespace mail
