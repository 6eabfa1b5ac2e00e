#include "vsl-filter/transaction/header_list.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "lib/base/text.h"
#include "lib/mail/field_scan.h"
#include "vsl-filter/transaction/field_text.h"

namespace rules {
namespace {

namespace text = base::text;

std::string_view without_line_end(std::string_view octets) {
  if (!octets.ends_with('\n')) return octets;
  octets.remove_suffix(1);
  if (octets.ends_with('\r')) octets.remove_suffix(1);
  return octets;
}

// A polynomial modulo 2^61-1 with a factor that no sender knows, so that nobody can choose 100,000 names that fall on one place. Takes
// seven octets a step, letters without their case.
std::uint64_t hash_of(std::string_view name) {
  constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1, kNoCase = 0x20202020202020;
  static const std::uint64_t factor = [] {
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) random = 0x9E3779B97F4A7C15;
    return random % kPrime | 1;
  }();
  std::uint64_t hash = name.size();
  while (!name.empty()) {
    const std::size_t taken = std::min<std::size_t>(name.size(), 7);
    std::uint64_t octets = 0;
    std::memcpy(&octets, name.data(), taken);
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(hash + (octets | kNoCase)) * factor;
    hash = static_cast<std::uint64_t>(product & kPrime) + static_cast<std::uint64_t>(product >> 61);
    if (hash >= kPrime) hash -= kPrime;
    name.remove_prefix(taken);
  }
  return hash;
}

using Views = std::vector<std::string_view>;

// What of `all` is not in `others`, as often as it is there more often.
std::vector<std::string> missing(const Views& all, const Views& others) {
  std::vector<std::string> result;
  std::map<std::string_view, std::ptrdiff_t> counts;
  for (const auto line : others) ++counts[line];
  for (const auto line : all)
    if (counts.empty() || --counts[line] < 0) result.emplace_back(line);
  return result;
}

std::string with_lf(std::string_view octets) {
  std::string out;
  out.reserve(octets.size());
  for (std::size_t i = 0; i < octets.size(); ++i)
    if (!octets.substr(i).starts_with("\r\n")) out += octets[i];
  return out;
}

}  // namespace

std::string_view HeaderList::Field::value() const { return without_line_end(octets.substr(body)); }

HeaderList::HeaderList(std::string_view message) {
  constexpr std::size_t kUsual = 32;
  read_.reserve(kUsual);
  mail::FieldScanner scanner(message);
  const auto first_line_end = message.find('\n');
  if (first_line_end != std::string_view::npos && (first_line_end == 0 || message[first_line_end - 1] != '\r')) line_end_ = "\n";
  for (bool is_first = true; const auto scanned = scanner.next(); is_first = false) {
    if (is_first && scanned->body == 0) {
      preface_ = scanned->octets;
      continue;
    }
    Field& field = read_.emplace_back();
    field.octets = field.before = scanned->octets;
    field.name_octets = static_cast<std::uint32_t>(scanned->name.size());
    field.body = scanned->body;
    field.rank = next_rank_++;
  }
  size_ = read_.size();
  body_offset_ = scanner.body();
  has_separator_ = scanner.has_separator();
}

template <class See>
void HeaderList::each(const See& see) const {
  for (const auto& field : above_)
    if (!field.is_removed && !see(field)) return;
  for (const auto& field : read_)
    if (!field.is_removed && !see(field)) return;
  for (const auto& field : below_)
    if (!field.is_removed && !see(field)) return;
}

// ---- fields of a name ---------------------------------------------------------------------------------------------------

template <class See>
void HeaderList::each_of(std::string_view name, const See& see) const {
  constexpr std::size_t kFew = 64;
  if (index_ == nullptr && size_ <= kFew)
    return each([&](const Field& field) { return !text::equal_ignoring_case(field.name(), name) || see(field); });
  const auto* chain = find(name);
  if (chain == nullptr) return;
  for (const auto* field = chain->first; field != nullptr && see(*field);) field = field->next;
}

HeaderList::Index& HeaderList::index() const {
  if (index_ == nullptr) {
    index_ = std::make_unique<Index>();
    each([this](const Field& field) {
      link_last(index_->chain(field.name()), const_cast<Field&>(field));  // only its links, which belong to the index
      return true;
    });
  }
  return *index_;
}

std::size_t HeaderList::Index::place_of(std::string_view name) const {
  const std::size_t mask = places.size() - 1;
  std::size_t place = hash_of(name) & mask;
  while (places[place] != 0 && !text::equal_ignoring_case(chains[places[place] - 1].name, name)) place = (place + 1) & mask;
  return place;
}

void HeaderList::Index::spread() {
  places.assign(std::max<std::size_t>(places.size() * 2, 64), 0);
  for (std::size_t i = 0; i < chains.size(); ++i) places[place_of(chains[i].name)] = static_cast<std::uint32_t>(i + 1);
}

HeaderList::Chain& HeaderList::Index::chain(std::string_view name) {
  if ((chains.size() + 1) * 2 > places.size()) spread();
  const std::size_t place = place_of(name);
  if (places[place] == 0) {
    chains.emplace_back().name = name;
    places[place] = static_cast<std::uint32_t>(chains.size());
  }
  return chains[places[place] - 1];
}

HeaderList::Chain* HeaderList::find(std::string_view name) const {
  Index& index = this->index();
  if (index.places.empty()) return nullptr;
  const std::uint32_t found = index.places[index.place_of(name)];
  return found == 0 || index.chains[found - 1].count == 0 ? nullptr : &index.chains[found - 1];
}

void HeaderList::link_last(Chain& chain, Field& field) {
  field.previous = chain.last;
  field.next = nullptr;
  (chain.last != nullptr ? chain.last->next : chain.first) = &field;
  chain.last = &field;
  ++chain.count;
}

void HeaderList::link_first(Chain& chain, Field& field) {
  field.next = chain.first;
  field.previous = nullptr;
  (chain.first != nullptr ? chain.first->previous : chain.last) = &field;
  chain.first = &field;
  ++chain.count;
}

void HeaderList::take_out(Chain& chain, Field& field) {
  (field.previous != nullptr ? field.previous->next : chain.first) = field.next;
  (field.next != nullptr ? field.next->previous : chain.last) = field.previous;
  --chain.count;
  field.is_removed = true;
  note_change(field.name());
  field.octets = {};
  field.own.reset();
  --size_;
}

void HeaderList::note_change(std::string_view name) {
  is_changed_ = true;
  ++changes_;
  if (text::starts_with_ignoring_case(name, "Content-") || text::equal_ignoring_case(name, "MIME-Version")) ++mime_changes_;
}

// ---- looking -------------------------------------------------------------------------------------------------------------

bool HeaderList::has(std::string_view name) const {
  bool is_there = false;
  each_of(name, [&](const Field&) { return !(is_there = true); });
  return is_there;
}

std::size_t HeaderList::count(std::string_view name) const {
  std::size_t count = 0;
  each_of(name, [&](const Field&) { return ++count > 0; });
  return count;
}

std::string HeaderList::get(std::string_view name) const {
  std::string value;
  each_of(name, [&](const Field& field) {
    value = field_value(field.value());
    return false;
  });
  return value;
}

std::vector<std::string> HeaderList::get_all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto body : bodies(name)) values.push_back(unfolded(body));
  return values;
}

std::vector<std::string_view> HeaderList::bodies(std::string_view name) const {
  std::vector<std::string_view> values;
  each_of(name, [&](const Field& field) {
    values.push_back(field.value());
    return true;
  });
  return values;
}

std::vector<std::string> HeaderList::lines() const {
  std::vector<std::string> all;
  all.reserve(size_);
  each([&](const Field& field) {
    all.emplace_back(without_line_end(field.octets));
    return true;
  });
  return all;
}

std::vector<std::string> HeaderList::lines(std::string_view name, std::size_t limit) const {
  std::vector<std::string> all;
  if (limit == 0) return all;
  each_of(name, [&](const Field& field) {
    all.emplace_back(without_line_end(field.octets));
    return all.size() < limit;
  });
  return all;
}

// ---- changing ------------------------------------------------------------------------------------------------------------

void HeaderList::write(Field& field, std::string written) {
  set_own(field, line_end_ == "\n" ? with_lf(written) : std::move(written));
  const auto colon = field.octets.find(':');
  field.name_octets = static_cast<std::uint32_t>(colon);
  while (field.name_octets > 0 && text::is_space(field.octets[field.name_octets - 1])) --field.name_octets;
  field.body = colon + 1;
}

void HeaderList::set_own(Field& field, std::string text) {
  field.own = std::make_unique<std::string>(std::move(text));
  field.octets = *field.own;
}

HeaderList::Field& HeaderList::add_below() {
  Field& field = below_.emplace_back();
  field.rank = next_rank_++;
  ++size_;
  return field;
}

HeaderList::Field& HeaderList::add_above() {
  Field& field = above_.emplace_front();
  field.rank = --first_rank_;
  ++size_;
  return field;
}

base::Result<void> HeaderList::append(std::string_view name, std::string_view value) {
  auto written = field_text(name, value);
  if (!written) return std::unexpected(written.error());
  append_written(name, std::move(*written));
  return {};
}

void HeaderList::append_written(std::string_view name, std::string written) {
  Field& field = add_below();
  write(field, std::move(written));
  if (index_ != nullptr) link_last(index_->chain(name), field);
  note_change(name);
}

base::Result<void> HeaderList::prepend(std::string_view name, std::string_view value) {
  auto written = field_text(name, value);
  if (!written) return std::unexpected(written.error());
  Field& field = add_above();
  write(field, std::move(*written));
  if (index_ != nullptr) link_first(index_->chain(name), field);
  note_change(name);
  return {};
}

base::Result<void> HeaderList::set(std::string_view name, std::string_view value) {
  Chain* same = find(name);
  if (same == nullptr) return append(name, value);
  auto written = field_text(name, value);
  if (!written) return std::unexpected(written.error());
  write(*same->first, std::move(*written));
  note_change(name);
  return {};
}

void HeaderList::replace_body(Field& field, std::string_view body) {
  std::string written(field.octets.substr(0, field.body));
  written.append(body).append(line_end_);
  set_own(field, std::move(written));
  note_change(field.name());
}

void HeaderList::replace_first(std::string_view name, std::string_view body) {
  if (Chain* same = find(name); same != nullptr) return replace_body(*same->first, body);
  append_written(name, std::string(name) + ":" + std::string(body) + "\r\n");
}

void HeaderList::edit(std::string_view name, const std::function<Edit(std::string_view body)>& editor) {
  Chain* same = find(name);
  if (same == nullptr) return;
  for (Field *field = same->first, *next = nullptr; field != nullptr; field = next) {
    next = field->next;
    const Edit edit = editor(field->value());
    if (edit.what == Edit::What::Replace) replace_body(*field, edit.body);
    if (edit.what == Edit::What::Remove) take_out(*same, *field);
  }
}

base::Result<void> HeaderList::rename(std::string_view old_name, std::string_view new_name) {
  if (const auto checked = check_field_name(new_name); !checked) return checked;
  Chain* found = find(old_name);
  if (found == nullptr) return {};
  Chain& old_chain = *found;
  for (Field* field = old_chain.first; field != nullptr; field = field->next) {
    std::string renamed(new_name);
    renamed.append(field->octets.substr(field->body - 1));
    note_change(field->name());
    write(*field, std::move(renamed));
    note_change(new_name);
  }
  Chain& new_chain = index().chain(new_name);
  if (&old_chain == &new_chain) return {};
  // Both in the order of the header.
  Chain merged;
  Field *a = old_chain.first, *b = new_chain.first;
  while (a != nullptr || b != nullptr) {
    const bool takes_a = b == nullptr || (a != nullptr && a->rank < b->rank);
    Field*& taken = takes_a ? a : b;
    link_last(merged, *std::exchange(taken, taken->next));
  }
  old_chain.first = old_chain.last = nullptr;
  old_chain.count = 0;
  merged.name = std::move(new_chain.name);
  new_chain = std::move(merged);
  return {};
}

std::size_t HeaderList::remove_that_came(std::string_view name, const std::function<bool(std::string_view body)>& is_meant) {
  Chain* same = find(name);
  if (same == nullptr) return 0;
  std::size_t removed = 0;
  for (Field *field = same->first, *next = nullptr; field != nullptr; field = next) {
    next = field->next;
    if (field->before.empty() || !is_meant(field->value())) continue;
    take_out(*same, *field);
    ++removed;
  }
  return removed;
}

bool HeaderList::remove(std::string_view name) {
  Chain* same = find(name);
  if (same == nullptr) return false;
  take_out(*same, *same->first);
  return true;
}

// ---- as a whole ----------------------------------------------------------------------------------------------------------

void HeaderList::put_above(const HeaderList& added) {
  std::vector<const Field*> from_top;
  from_top.reserve(added.size());
  added.each([&](const Field& field) {
    from_top.push_back(&field);
    return true;
  });
  for (auto above = from_top.rbegin(); above != from_top.rend(); ++above) {
    Field& field = add_above();
    write(field, std::string((*above)->octets));
    if (index_ != nullptr) link_first(index_->chain(field.name()), field);
    note_change(field.name());
  }
}

HeaderList::Difference HeaderList::difference() const {
  if (!is_changed_) return {};
  // Only of fields that were touched.
  Views added, removed;
  const auto add = [&added](const Field& field) {
    if (!field.is_removed) added.push_back(without_line_end(field.octets));
  };
  std::ranges::for_each(above_, add);
  for (const auto& field : read_) {
    if (field.octets.data() == field.before.data()) continue;
    removed.push_back(without_line_end(field.before));
    add(field);
  }
  std::ranges::for_each(below_, add);
  Difference difference{missing(added, removed), missing(removed, added), false};
  if (!difference.added.empty() || !difference.removed.empty()) return difference;
  std::size_t at = 0;
  each([&](const Field& field) {
    difference.is_reordered = at == read_.size() || without_line_end(read_[at].before) != without_line_end(field.octets);
    ++at;
    return !difference.is_reordered;
  });
  return difference;
}

HeaderList HeaderList::copy() const {
  HeaderList same;
  same.put_above(*this);
  return same;
}

void HeaderList::append_to(std::string& out) const {
  const auto append = [&](std::string_view octets) {
    out += octets;
    // A CR at the end of the message must not become half of a line end.
    if (!octets.empty() && !octets.ends_with('\n')) out += octets.ends_with('\r') ? "\r\n" : line_end_;
  };
  append(preface_);
  each([&](const Field& field) {
    append(field.octets);
    return true;
  });
}

}  // namespace rules
