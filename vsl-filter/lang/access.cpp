// a[i] and a.b, read and written.
#include <algorithm>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/operations.h"

namespace vsl {

namespace {

std::unexpected<Failure> no_index(const Value& object, const Value& index) {
  return fail(ErrorKind::IndexingType,
              "Indexer not registered for '" + std::string(type_name(object)) + " [" + std::string(type_name(index)) + "]'");
}

std::unexpected<Failure> bounds(ErrorKind kind, std::string_view what, std::string_view element, std::int64_t index, std::size_t size) {
  std::string first(1, static_cast<char>(what.front() - 'a' + 'A'));
  std::string text = first + std::string(what.substr(1)) + " index " + std::to_string(index) + " out of bounds: ";
  if (size == 0)
    text += std::string(what) + " is empty";
  else
    text += "only " + std::to_string(size) + " " + std::string(element) + (size == 1 ? "" : "s") + " in " + std::string(what);
  return fail(kind, std::move(text));
}

// The part of a sequence of `size` elements that a range names: clipped, negative bounds count from the end.
std::pair<std::size_t, std::size_t> part_of(const Range& range, std::size_t size) {
  const auto clipped = [size](std::int64_t at) {
    const auto end = static_cast<std::int64_t>(size);
    if (at < 0) at = at < -end ? 0 : at + end;
    return static_cast<std::size_t>(std::min(at, end));
  };
  const std::size_t first = clipped(range.first);
  std::size_t last = clipped(range.last);
  if (range.is_inclusive && last < size) ++last;
  return {first, std::max(first, last)};
}

Result string_index(Run& run, const Value& object, const Value& index) {
  const std::string_view text = object.as_text();
  const std::size_t size = code_points(object);
  if (index.is_range()) {
    const auto [first, last] = part_of(index.as_range(), size);
    return run.string(code_point_range(text, first, last - first));
  }
  if (!index.is_int()) return no_index(object, index);
  const auto at = resolve_index(index.as_int(), size);
  if (!at) return string_bounds(index.as_int(), size);
  std::size_t octets = 0;
  if (size == text.size()) return Value::character(static_cast<unsigned char>(text[*at]));
  return Value::character(code_point_at(code_point_range(text, *at, 1), 0, octets));
}

// n[3] is a bit, n[1..=3] a field of bits.
Result bit_index(const Value& object, const Value& index) {
  const auto bits = static_cast<std::uint64_t>(object.as_int());
  if (index.is_range()) {
    const auto [first, last] = part_of(index.as_range(), 64);
    if (first == last) return 0;
    const std::uint64_t field = bits >> first;
    return static_cast<std::int64_t>(last - first >= 64 ? field : field & ((std::uint64_t{1} << (last - first)) - 1));
  }
  if (!index.is_int()) return no_index(object, index);
  const auto at = resolve_index(index.as_int(), 64);
  if (!at) return fail(ErrorKind::BitFieldBounds, "Bit-field index " + std::to_string(index.as_int()) + " out of bounds: only 64 bits in bit-field");
  return (bits >> *at & 1) != 0;
}

Expected<void> set_string_index(Run& run, Value& object, const Value& index, const Value& value) {
  const std::string_view text = object.as_text();
  const std::size_t size = code_points(object);
  if (!index.is_int() || !value.is_char()) return no_index(object, index);
  const auto at = resolve_index(index.as_int(), size);
  if (!at) return string_bounds(index.as_int(), size);
  const std::string_view old = code_point_range(text, *at, 1);
  std::string changed(text.substr(0, static_cast<std::size_t>(old.data() - text.data())));
  base::utf8::append(changed, value.as_char());
  changed += text.substr(static_cast<std::size_t>(old.data() - text.data()) + old.size());
  object = run.string(changed);
  return {};
}

// As many bits of the number as go into the field.
Expected<void> set_bit_field(Value& object, const Range& range, std::int64_t value) {
  const auto [first, last] = part_of(range, 64);
  if (first == last) return {};
  const std::uint64_t ones = last - first >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (last - first)) - 1;
  const std::uint64_t bits = static_cast<std::uint64_t>(object.as_int()) & ~(ones << first);
  object = static_cast<std::int64_t>(bits | (static_cast<std::uint64_t>(value) & ones) << first);
  return {};
}

Expected<void> set_bit_index(Value& object, const Value& index, const Value& value) {
  if (index.is_range() && value.is_int()) return set_bit_field(object, index.as_range(), value.as_int());
  if (!index.is_int() || !value.is_bool()) return no_index(object, index);
  const auto at = resolve_index(index.as_int(), 64);
  if (!at) return fail(ErrorKind::BitFieldBounds, "Bit-field index " + std::to_string(index.as_int()) + " out of bounds: only 64 bits in bit-field");
  const std::uint64_t bit = std::uint64_t{1} << *at;
  const auto bits = static_cast<std::uint64_t>(object.as_int());
  object = static_cast<std::int64_t>(value.as_bool() ? bits | bit : bits & ~bit);
  return {};
}

}  // namespace

std::optional<std::size_t> resolve_index(std::int64_t index, std::size_t size) {
  if (index < 0) index += static_cast<std::int64_t>(size);
  if (index < 0 || static_cast<std::size_t>(index) >= size) return std::nullopt;
  return static_cast<std::size_t>(index);
}

std::unexpected<Failure> array_bounds(std::int64_t index, std::size_t size) {
  return bounds(ErrorKind::ArrayBounds, "array", "element", index, size);
}

std::unexpected<Failure> string_bounds(std::int64_t index, std::size_t size) {
  return bounds(ErrorKind::StringBounds, "string", "character", index, size);
}

std::string_view code_point_range(std::string_view text, std::size_t from, std::size_t count) {
  const auto skip = [&text](std::size_t octet, std::size_t points) {
    while (points > 0 && octet < text.size()) {
      ++octet;
      while (octet < text.size() && (static_cast<unsigned char>(text[octet]) & 0xC0) == 0x80) ++octet;
      --points;
    }
    return octet;
  };
  const std::size_t first = skip(0, from);
  return text.substr(first, skip(first, count) - first);
}

char32_t code_point_at(std::string_view text, std::size_t octet, std::size_t& octets) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[octet + i]); };
  octets = base::utf8::sequence_octets(text.substr(octet));
  switch (octets) {
    case 1: return at(0);
    case 2: return static_cast<char32_t>((at(0) & 0x1F) << 6 | (at(1) & 0x3F));
    case 3: return static_cast<char32_t>((at(0) & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F));
    case 4: return static_cast<char32_t>((at(0) & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 | (at(3) & 0x3F));
    default: break;
  }
  // As code_points() counts: what follows belongs to it while it looks like a continuation.
  octets = 1;
  while (octet + octets < text.size() && (at(octets) & 0xC0) == 0x80) ++octets;
  return 0xFFFD;
}

Result get_index(Run& run, const Value& object, const Value& index) {
  switch (object.tag()) {
    case Tag::Array: {
      if (!index.is_int()) return no_index(object, index);
      const auto at = resolve_index(index.as_int(), object.as_array().size());
      if (!at) return array_bounds(index.as_int(), object.as_array().size());
      return object.as_array()[*at];
    }
    case Tag::Map: {
      if (!index.is_string()) return no_index(object, index);
      const Value* found = object.as_map().find(index);
      return found == nullptr ? Value() : *found;
    }
    case Tag::Blob: {
      if (!index.is_int()) return no_index(object, index);
      const auto at = resolve_index(index.as_int(), object.as_blob().size());
      if (!at) return array_bounds(index.as_int(), object.as_blob().size());
      return std::int64_t{object.as_blob()[*at]};
    }
    case Tag::Short:
    case Tag::String: return string_index(run, object, index);
    case Tag::Int: return bit_index(object, index);
    case Tag::Host:
      if (object.as_host().host_class->index != nullptr) return object.as_host().host_class->index(run, object, index);
      break;
    default: break;
  }
  return no_index(object, index);
}

Expected<void> set_index(Run& run, Value& object, const Value& index, const Value& value) {
  switch (object.tag()) {
    case Tag::Array: {
      if (!index.is_int()) return no_index(object, index);
      const auto at = resolve_index(index.as_int(), object.as_array().size());
      if (!at) return array_bounds(index.as_int(), object.as_array().size());
      object.array_for_write(run.heap())[*at] = value;
      return {};
    }
    case Tag::Map:
      if (!index.is_string()) return no_index(object, index);
      object.map_for_write(run.heap()).set(index, value);
      return {};
    case Tag::Blob: {
      if (!index.is_int() || !value.is_int()) return no_index(object, index);
      const auto at = resolve_index(index.as_int(), object.as_blob().size());
      if (!at) return array_bounds(index.as_int(), object.as_blob().size());
      object.blob_for_write(run.heap())[*at] = static_cast<std::uint8_t>(value.as_int());
      return {};
    }
    case Tag::Short:
    case Tag::String: return set_string_index(run, object, index, value);
    case Tag::Int: return set_bit_index(object, index, value);
    case Tag::Host:
      if (object.as_host().host_class->set_index != nullptr) return object.as_host().host_class->set_index(run, object, index, value);
      break;
    default: break;
  }
  return no_index(object, index);
}

Result get_field(Run& run, const Value& object, const Field& field) {
  if (object.is_map()) {
    if (const Value* found = object.as_map().find(field.name)) return *found;
    // m.len, unless the map has a member of that name; anything else that is not there is ().
    const bool may_be_property = field.native != nullptr && field.native->is_property;
    if (!may_be_property || field.native->select({&object, 1}) == nullptr) return Value();
  }
  if (object.is_host() && object.as_host().host_class->get != nullptr) {
    Result found = object.as_host().host_class->get(run, object, field.name.as_text());
    if (!found || !found->is_absent()) return found;
  }
  if (field.native != nullptr && field.native->is_property) {
    Value self = object;
    const NativeRow* row = field.native->select({&self, 1});
    if (row != nullptr && (row->flags & kProperty) != 0) return row->run(run, {&self, 1});
  }
  return fail(ErrorKind::Property, "Unknown property '" + std::string(field.name.as_text()) + "' - a getter is not registered for type '" +
                                       std::string(type_name(object)) + "'");
}

Expected<void> set_field(Run& run, Value& object, const Value& name, const Value& value) {
  if (object.is_map()) {
    object.map_for_write(run.heap()).set(name, value);
    return {};
  }
  if (object.is_host() && object.as_host().host_class->set != nullptr) {
    auto is_known = object.as_host().host_class->set(run, object, name.as_text(), value);
    if (!is_known) return std::unexpected(std::move(is_known.error()));
    if (*is_known) return {};
  }
  return fail(ErrorKind::Property, "No writable property '" + std::string(name.as_text()) + "' - a setter is not registered for type '" +
                                       std::string(type_name(object)) + "'");
}

}  // namespace vsl
