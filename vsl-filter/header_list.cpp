#include "vsl-filter/header_list.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "lib/base/text.h"
#include "lib/mail/field_scan.h"
#include "vsl-filter/field_text.h"

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
  mail::FieldScanner scanner(message);
  const auto first_line_end = message.find('\n');
  if (first_line_end != std::string_view::npos && (first_line_end == 0 || message[first_line_end - 1] != '\r')) line_end_ = "\n";
  for (bool is_first = true; const auto scanned = scanner.next(); is_first = false) {
    if (is_first && scanned->body == 0) {
      preface_ = scanned->octets;
      continue;
    }
    Field& field = fields_.emplace_back();
    field.octets = scanned->octets;
    field.name_octets = scanned->name.size();
    field.body = scanned->body;
    field.rank = static_cast<std::int64_t>(size_++);
  }
  body_offset_ = scanner.body();
  has_separator_ = scanner.has_separator();
}

// ---- fields of a name ---------------------------------------------------------------------------------------------------

void HeaderList::build_index() const {
  if (std::exchange(is_indexed_, true)) return;
  for (const auto& field : fields_) {
    if (!field.is_removed) link_last(chain_in_index(field.name()), const_cast<Field&>(field));  // only its links, which belong to the index
  }
}

std::size_t HeaderList::place_of(std::string_view name) const {
  const std::size_t mask = places_.size() - 1;
  std::size_t place = hash_of(name) & mask;
  while (places_[place] != 0 && !text::equal_ignoring_case(chains_[places_[place] - 1].name, name)) place = (place + 1) & mask;
  return place;
}

void HeaderList::spread() const {
  places_.assign(std::max<std::size_t>(places_.size() * 2, 64), 0);
  for (std::size_t i = 0; i < chains_.size(); ++i) places_[place_of(chains_[i].name)] = static_cast<std::uint32_t>(i + 1);
}

HeaderList::Chain& HeaderList::chain_in_index(std::string_view name) const {
  if ((chains_.size() + 1) * 2 > places_.size()) spread();
  const std::size_t place = place_of(name);
  if (places_[place] == 0) {
    chains_.emplace_back().name = name;
    places_[place] = static_cast<std::uint32_t>(chains_.size());
  }
  return chains_[places_[place] - 1];
}

const HeaderList::Chain* HeaderList::find(std::string_view name) const {
  build_index();
  if (places_.empty()) return nullptr;
  const std::uint32_t found = places_[place_of(name)];
  return found == 0 || chains_[found - 1].count == 0 ? nullptr : &chains_[found - 1];
}

HeaderList::Chain& HeaderList::chain(std::string_view name) {
  build_index();
  return chain_in_index(name);
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
  field.own = std::string();
  --size_;
}

void HeaderList::note_change(std::string_view name) {
  is_changed_ = true;
  if (text::starts_with_ignoring_case(name, "Content-") || text::equal_ignoring_case(name, "MIME-Version")) ++mime_changes_;
}

// ---- looking -------------------------------------------------------------------------------------------------------------

std::size_t HeaderList::count(std::string_view name) const {
  const auto* chain = find(name);
  return chain == nullptr ? 0 : chain->count;
}

std::string HeaderList::get(std::string_view name) const {
  const auto* chain = find(name);
  return chain == nullptr ? std::string() : field_value(chain->first->value());
}

std::vector<std::string> HeaderList::get_all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto body : bodies(name)) values.push_back(unfolded(body));
  return values;
}

std::vector<std::string_view> HeaderList::bodies(std::string_view name) const {
  std::vector<std::string_view> values;
  if (const auto* chain = find(name); chain != nullptr)
    for (const auto* field = chain->first; field != nullptr; field = field->next) values.push_back(field->value());
  return values;
}

std::vector<std::string> HeaderList::lines() const {
  std::vector<std::string> all;
  all.reserve(size_);
  for (const auto& field : fields_)
    if (!field.is_removed) all.emplace_back(without_line_end(field.octets));
  return all;
}

std::vector<std::string> HeaderList::lines(std::string_view name, std::size_t limit) const {
  std::vector<std::string> all;
  const auto* chain = find(name);
  if (chain == nullptr) return all;
  for (const auto* field = chain->first; field != nullptr && all.size() < limit; field = field->next) all.emplace_back(without_line_end(field->octets));
  return all;
}

// ---- changing ------------------------------------------------------------------------------------------------------------

void HeaderList::write(Field& field, std::string written) {
  field.own = line_end_ == "\n" ? with_lf(written) : std::move(written);
  field.octets = field.own;
  const auto colon = field.octets.find(':');
  field.name_octets = colon;
  while (field.name_octets > 0 && text::is_space(field.octets[field.name_octets - 1])) --field.name_octets;
  field.body = colon + 1;
}

base::Result<void> HeaderList::append(std::string_view name, std::string_view value) {
  auto written = field_text(name, value);
  if (!written) return std::unexpected(written.error());
  append_written(name, std::move(*written));
  return {};
}

void HeaderList::append_written(std::string_view name, std::string written) {
  Chain& same = chain(name);
  const auto rank = fields_.empty() ? 0 : fields_.back().rank + 1;
  Field& field = fields_.emplace_back();
  field.rank = rank;
  write(field, std::move(written));
  link_last(same, field);
  ++size_;
  note_change(name);
}

base::Result<void> HeaderList::prepend(std::string_view name, std::string_view value) {
  auto written = field_text(name, value);
  if (!written) return std::unexpected(written.error());
  Chain& same = chain(name);
  const auto rank = fields_.empty() ? 0 : fields_.front().rank - 1;
  Field& field = fields_.emplace_front();
  field.rank = rank;
  write(field, std::move(*written));
  link_first(same, field);
  ++size_;
  note_change(name);
  return {};
}

base::Result<void> HeaderList::set(std::string_view name, std::string_view value) {
  const auto* same = find(name);
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
  field.own = std::move(written);
  field.octets = field.own;
  note_change(field.name());
}

void HeaderList::replace_first(std::string_view name, std::string_view body) {
  if (const auto* same = find(name); same != nullptr) return replace_body(*same->first, body);
  append_written(name, std::string(name) + ":" + std::string(body) + "\r\n");
}

void HeaderList::edit(std::string_view name, const std::function<Edit(std::string_view body)>& editor) {
  if (find(name) == nullptr) return;
  Chain& same = chain(name);
  for (Field *field = same.first, *next = nullptr; field != nullptr; field = next) {
    next = field->next;
    const Edit edit = editor(field->value());
    if (edit.what == Edit::What::Replace) replace_body(*field, edit.body);
    if (edit.what == Edit::What::Remove) take_out(same, *field);
  }
}

base::Result<void> HeaderList::rename(std::string_view old_name, std::string_view new_name) {
  if (const auto checked = check_field_name(new_name); !checked) return checked;
  const auto* found = find(old_name);
  if (found == nullptr) return {};
  Chain& old_chain = chain(old_name);
  for (Field* field = old_chain.first; field != nullptr; field = field->next) {
    std::string renamed(new_name);
    renamed.append(field->octets.substr(field->body - 1));
    note_change(field->name());
    write(*field, std::move(renamed));
    note_change(new_name);
  }
  Chain& new_chain = chain(new_name);
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

bool HeaderList::remove(std::string_view name) {
  if (find(name) == nullptr) return false;
  Chain& same = chain(name);
  take_out(same, *same.first);
  return true;
}

// ---- as a whole ----------------------------------------------------------------------------------------------------------

void HeaderList::put_above(const HeaderList& added) {
  build_index();
  for (auto above = added.fields_.rbegin(); above != added.fields_.rend(); ++above) {
    if (above->is_removed) continue;
    const auto rank = fields_.empty() ? 0 : fields_.front().rank - 1;
    Field& field = fields_.emplace_front();
    field.rank = rank;
    write(field, std::string(above->octets));
    link_first(chain(field.name()), field);
    ++size_;
    note_change(field.name());
  }
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
  for (const auto& field : fields_) append(field.octets);
}

}  // namespace rules
