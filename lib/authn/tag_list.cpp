#include "lib/authn/tag_list.h"

#include <algorithm>

#include "lib/base/base64.h"
#include "lib/base/text.h"

namespace authn {

namespace text = base::text;

namespace {

constexpr bool is_folding(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// tag-name = ALPHA *ALNUMPUNC
bool is_tag_name(std::string_view name) {
  return !name.empty() && text::is_alpha(name.front()) &&
         std::ranges::all_of(name, [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '_'; });
}

// tval = 1*VALCHAR; VALCHAR is printable ASCII but ";". UTF-8 of RFC 8616 too.
bool is_tag_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return is_folding(c) || (static_cast<unsigned char>(c) > ' ' && c != 0x7f); });
}

}  // namespace

std::string_view trim_folding(std::string_view text) {
  while (!text.empty() && is_folding(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_folding(text.back())) text.remove_suffix(1);
  return text;
}

std::string without_folding(std::string_view text) {
  std::string kept(text);
  std::erase_if(kept, is_folding);
  return kept;
}

std::vector<std::string_view> split_folded(std::string_view text, char separator) {
  auto parts = text::split(text, separator);
  for (auto& part : parts) part = trim_folding(part);
  return parts;
}

std::optional<std::string> from_folded_base64(std::string_view text) { return base::from_base64(without_folding(text)); }

std::expected<TagList, std::string> TagList::parse(std::string_view text) {
  TagList list;
  while (!text.empty()) {
    const auto end = text.find(';');
    const std::string_view spec = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (trim_folding(spec).empty()) {
      if (trim_folding(text).empty() && !list.tags_.empty()) break;  // the last ";"
      return std::unexpected("there is nothing between two ';'");
    }
    const auto equals = spec.find('=');
    const std::string_view name = trim_folding(spec.substr(0, equals));
    if (equals == std::string_view::npos || !is_tag_name(name)) return std::unexpected("'" + text::printable(trim_folding(spec), 40) + "' is no tag=value");
    const std::string_view value = trim_folding(spec.substr(equals + 1));
    if (!is_tag_value(value)) return std::unexpected("tag " + std::string(name) + " has a control character");
    if (list.has(name)) return std::unexpected("tag " + text::printable(name, 40) + " stands there twice");
    if (list.tags_.size() == kMaxTags) return std::unexpected("more than " + std::to_string(kMaxTags) + " tags");
    list.tags_.push_back({name, value});
  }
  if (list.tags_.empty()) return std::unexpected("there is no tag");
  return list;
}

std::optional<std::string_view> TagList::get(std::string_view name) const {
  for (const auto& tag : tags_)
    if (tag.name == name) return tag.value;
  return std::nullopt;
}

}  // namespace authn
