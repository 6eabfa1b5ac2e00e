#include "vsl-filter/lang/native.h"

#include <algorithm>
#include <cstring>

#include "lib/base/text.h"
#include "vsl-filter/lang/host_class.h"

namespace vsl {

namespace {

constexpr std::uint32_t bit(Tag tag) { return 1u << static_cast<unsigned>(tag); }

struct TypeRow {
  Type type;
  std::string_view text;
  std::uint32_t tags;
};

constexpr std::uint32_t kString = bit(Tag::Short) | bit(Tag::String);
constexpr TypeRow kTypes[] = {
    {Type::None, "", 0},
    {Type::Any, "any", 0xFFFFFFFF},
    {Type::Unit, "()", bit(Tag::Unit)},
    {Type::Bool, "bool", bit(Tag::Bool)},
    {Type::Int, "i64", bit(Tag::Int)},
    {Type::Float, "f64", bit(Tag::Float)},
    {Type::Number, "number", bit(Tag::Int) | bit(Tag::Float)},
    {Type::Char, "char", bit(Tag::Char)},
    {Type::String, "string", kString},
    {Type::Text, "string or char", kString | bit(Tag::Char)},
    {Type::Array, "array", bit(Tag::Array)},
    {Type::Blob, "blob", bit(Tag::Blob)},
    {Type::Map, "map", bit(Tag::Map)},
    {Type::Range, "range", bit(Tag::Range)},
    {Type::Function, "Fn", bit(Tag::Function)},
    {Type::Callback, "Fn or name", bit(Tag::Function) | kString},
    {Type::Timestamp, "timestamp", bit(Tag::Timestamp)},
    {Type::Host, "object", bit(Tag::Host)},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &TypeRow::type) && std::size(kTypes) == static_cast<std::size_t>(Type::Host) + 1,
              "found by number");

const TypeRow& row_of(Type type) { return kTypes[static_cast<std::size_t>(type)]; }

// Names are those of tables in the source: nobody chooses their hashes.
std::size_t hash_of(std::string_view space, std::string_view name, std::size_t arguments) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15;
  std::uint64_t hash = arguments;
  for (std::string_view text : {space, name}) {
    hash = (hash + text.size()) * kFactor;
    while (!text.empty()) {
      std::uint64_t octets = 0;
      const std::size_t taken = std::min(text.size(), sizeof octets);
      std::memcpy(&octets, text.data(), taken);
      hash = (hash ^ octets) * kFactor;
      hash ^= hash >> 32;
      text.remove_prefix(taken);
    }
  }
  return hash;
}

bool is_within(std::string_view space, std::string_view outer) {
  return space.starts_with(outer) && (space.size() == outer.size() || space.substr(outer.size()).starts_with("::"));
}

}  // namespace

std::string_view type_text(Type type) { return row_of(type).text; }

bool Parameter::accepts(const Value& value) const {
  if ((row_of(type).tags & bit(value.tag())) == 0) return false;
  if (host_class == nullptr) return true;
  const HostClass* given = value.as_host().host_class;
  return given == host_class || given->base == host_class;
}

const NativeRow* Overloads::select(std::span<const Value> arguments) const {
  for (const NativeRow* row : rows) {
    std::size_t i = 0;
    while (i < arguments.size() && row->parameters.all[i].accepts(arguments[i])) ++i;
    if (i == arguments.size()) return row;
  }
  return nullptr;
}

void Natives::add(std::span<const NativeRow> rows) {
  for (const NativeRow& row : rows) {
    rows_.push_back(&row);
    add(row, row.name);
    for (std::string_view aliases = row.aliases; !aliases.empty();) {
      const auto [alias, rest] = base::text::split_once(aliases, ' ');
      if (!alias.empty()) add(row, alias);
      aliases = rest;
    }
  }
}

void Natives::add(const NativeRow& row, std::string_view name) {
  if ((overloads_.size() + 1) * 2 > places_.size()) spread();
  const std::size_t place = place_of(row.space, name, row.parameters.count);
  if (places_[place] == 0) {
    Overloads& made = overloads_.emplace_back(&memory_);
    made.name = name;
    made.space = row.space;
    made.arguments = row.parameters.count;
    places_[place] = static_cast<std::uint32_t>(overloads_.size());
    add_space(row.space);
  }
  Overloads& overloads = overloads_[places_[place] - 1];
  overloads.rows.push_back(&row);
  overloads.mutates |= row.mutates();
  overloads.is_property |= (row.flags & kProperty) != 0;
}

void Natives::add_space(std::string_view space) {
  const bool is_last = !spaces_.empty() && spaces_.back() == space;  // rows of one come together
  if (!is_last && std::ranges::find(spaces_, space) == spaces_.end()) spaces_.push_back(space);
}

std::size_t Natives::place_of(std::string_view space, std::string_view name, std::size_t arguments) const {
  const auto is_it = [&](const Overloads& one) { return one.arguments == arguments && one.name == name && one.space == space; };
  const std::size_t mask = places_.size() - 1;
  std::size_t place = hash_of(space, name, arguments) & mask;
  while (places_[place] != 0 && !is_it(overloads_[places_[place] - 1])) place = (place + 1) & mask;
  return place;
}

void Natives::spread() {
  constexpr std::size_t kFirst = 8192;
  places_.assign(places_.empty() ? kFirst : places_.size() * 2, 0);
  for (std::size_t i = 0; i < overloads_.size(); ++i)
    places_[place_of(overloads_[i].space, overloads_[i].name, overloads_[i].arguments)] = static_cast<std::uint32_t>(i + 1);
}

const Overloads* Natives::find(std::string_view space, std::string_view name, std::size_t arguments) const {
  if (places_.empty()) return nullptr;
  const std::uint32_t found = places_[place_of(space, name, arguments)];
  return found == 0 ? nullptr : &overloads_[found - 1];
}

void Natives::each_name(std::string_view space, const std::function<void(std::string_view, std::size_t)>& see) const {
  for (const Overloads& overloads : overloads_)
    if (overloads.space == space) see(overloads.name, overloads.arguments);
}

// ---- constants -------------------------------------------------------------------------------------------------------------

void Natives::add_constant(std::string_view space, std::string_view name, Value value) {
  Heap::freeze({&value, 1});
  constants_.push_back({std::string(space), std::string(name), std::move(value)});
}

void Natives::add_constants_later(std::span<const std::string_view> spaces, std::function<void(Heap&, const AddConstant&)> make) {
  later_->spaces.assign(spaces.begin(), spaces.end());
  later_->make = std::move(make);
}

std::span<const NativeConstant> Natives::Later::made() {
  std::call_once(is_made, [this] {
    if (make == nullptr) return;
    make(heap, [this](std::string_view space, std::string_view name, Value value) {
      Heap::freeze({&value, 1});
      constants.push_back({std::string(space), std::string(name), std::move(value)});
    });
  });
  return constants;
}

void Natives::each_constant(const std::function<void(const NativeConstant&)>& see) const {
  for (const NativeConstant& constant : constants_) see(constant);
  for (const NativeConstant& constant : later_->made()) see(constant);
}

const Value* Natives::constant(std::string_view space, std::string_view name) const {
  const bool is_later = std::ranges::find(later_->spaces, space) != later_->spaces.end();
  const std::span<const NativeConstant> all = is_later ? later_->made() : constants_;
  const auto found = std::ranges::find_if(all, [&](const NativeConstant& c) { return c.space == space && c.name == name; });
  return found == all.end() ? nullptr : &found->value;
}

bool Natives::has_space(std::string_view space) const {
  const auto is_it = [space](std::string_view one) { return is_within(one, space); };
  return std::ranges::any_of(spaces_, is_it) || std::ranges::any_of(later_->spaces, is_it) ||
         std::ranges::any_of(constants_, [&](const NativeConstant& c) { return is_within(c.space, space); });
}

}  // namespace vsl
