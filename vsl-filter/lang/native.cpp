#include "vsl-filter/lang/native.h"

#include <algorithm>

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

std::string key_of(std::string_view space, std::string_view name, std::size_t arguments) {
  std::string key(space);
  key += "::";
  key += name;
  key += '/';
  key += std::to_string(arguments);
  return key;
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
  auto& overloads = overloads_[key_of(row.space, name, row.parameters.count)];
  if (overloads == nullptr) {
    overloads = std::make_unique<Overloads>();
    overloads->name = name;
    overloads->space = row.space;
  }
  overloads->rows.push_back(&row);
  overloads->mutates |= row.mutates();
  overloads->is_property |= (row.flags & kProperty) != 0;
}

void Natives::add_constant(std::string_view space, std::string_view name, Value value) {
  Heap::freeze({&value, 1});
  constants_.push_back({std::string(space), std::string(name), std::move(value)});
}

const Overloads* Natives::find(std::string_view space, std::string_view name, std::size_t arguments) const {
  const auto found = overloads_.find(key_of(space, name, arguments));
  return found == overloads_.end() ? nullptr : found->second.get();
}

const Value* Natives::constant(std::string_view space, std::string_view name) const {
  const auto found = std::ranges::find_if(constants_, [&](const NativeConstant& c) { return c.space == space && c.name == name; });
  return found == constants_.end() ? nullptr : &found->value;
}

void Natives::each_name(std::string_view space, const std::function<void(std::string_view, std::size_t)>& see) const {
  for (const auto& [key, overloads] : overloads_)
    if (overloads->space == space) see(overloads->name, overloads->rows.front()->parameters.count);
}

bool Natives::has_space(std::string_view space) const {
  return std::ranges::any_of(rows_, [&](const NativeRow* row) { return is_within(row->space, space); }) ||
         std::ranges::any_of(constants_, [&](const NativeConstant& c) { return is_within(c.space, space); });
}

}  // namespace vsl
