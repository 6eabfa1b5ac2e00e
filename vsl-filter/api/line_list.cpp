#include "vsl-filter/api/line_list.h"

#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "vsl-filter/api/object.h"

namespace rules {
namespace {

// The name in `object NAME file:TYPE`, and the type of its elements.
struct TypeRow {
  std::string_view name;
  std::string_view type;
};
constexpr std::string_view kText = "string", kFqdn = "fqdn";
constexpr auto kTypes = std::to_array<TypeRow>({
    {"fqdn", kFqdn},
    {"address", "address"},
    {"addr", "address"},
    {"ip4", "ip4"},
    {"ip6", "ip6"},
    {"identifier", "identifier"},
    {"ident", "identifier"},
    {"string", kText},
    {"str", kText},
    {"val", kText},
});

std::string_view type_of(std::string_view name) {
  const auto row = std::ranges::find(kTypes, name, &TypeRow::name);
  return row == kTypes.end() ? std::string_view() : row->type;
}

constexpr auto kIsLetterDigitHyphen = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) table[static_cast<std::size_t>(c)] = base::text::is_alpha(static_cast<char>(c)) || base::text::is_digit(static_cast<char>(c)) || c == '-';
  return table;
}();

// Nearly all names of a list: a domain name in ASCII as it has to be. Of others mail::check_domain() says what they are.
bool is_plain_domain(std::string_view name) {
  const std::size_t size = name.size();
  if (size == 0 || size > mail::AddressRules().max_domain_octets) return false;
  for (std::size_t start = 0, i = 0;; ++i) {
    if (i < size && kIsLetterDigitHyphen[static_cast<unsigned char>(name[i])]) continue;
    constexpr std::size_t kMostOfLabel = 63;
    if (i == start || i - start > kMostOfLabel || name[start] == '-' || name[i - 1] == '-') return false;
    if (i == size) return true;
    if (name[i] != '.') return false;
    start = i + 1;
  }
}

}  // namespace

LineList::LineList(std::string content, std::string_view type) : content_(std::move(content)), type_(type_of(type)) {}

bool LineList::holds(std::string_view type) { return !type_of(type).empty(); }

void LineList::reserve(std::size_t lines) {
  lines_.reserve(lines);
  index_.reserve(lines);
}

std::expected<void, std::string> LineList::add(std::string_view line) {
  if (type_ == kText) {
    index_.add_text(line);
  } else if (type_ == kFqdn && is_plain_domain(line)) {
    index_.add_lasting_domain(line);
  } else {
    const auto object = make_object(type_, line);
    if (!object) return std::unexpected(object.error());
    (void)index_.add_object(*object);
  }
  lines_.push_back({static_cast<std::uint32_t>(line.data() - content_.data()), static_cast<std::uint32_t>(line.size())});
  return {};
}

vsl::Value LineList::element(vsl::Heap& heap, std::size_t position) const {
  const auto [start, length] = lines_[position];
  const auto line = std::string_view(content_).substr(start, length);
  return type_ == kText ? heap.string(line) : value_of(heap, std::move(*make_object(type_, line)));
}

vsl::Value LineList::array(vsl::Heap& heap) const {
  vsl::Value elements = heap.array(size());
  for (std::size_t i = 0; i < size(); ++i) elements.array_for_write(heap).push(element(heap, i));
  return elements;
}

}  // namespace rules
