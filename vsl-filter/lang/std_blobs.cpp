// Blobs: octets one by one. Parts of blobs are in std_blob_parts.cpp, numbers and texts in them in std_blob_numbers.cpp.
#include <algorithm>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

Blob& changed(Run& run, Value& variable) {
  charge_copy(run, variable, variable.as_blob().size() / 16);
  return variable.blob_for_write(run.heap());
}
std::uint8_t octet_of(const Value& number) { return static_cast<std::uint8_t>(number.as_int()); }
std::size_t size_of(const Value& blob) { return blob.as_blob().size(); }

Expected<void> check_size(Run& run, std::size_t octets) {
  if (!run.heap().may_hold_string(octets)) return too_large("Blob");
  return {};
}

Result make(Run& run, Arguments a) {
  const std::size_t size = a.empty() ? 0 : static_cast<std::size_t>(std::max<std::int64_t>(a[0].as_int(), 0));
  if (auto fits = check_size(run, size); !fits) return pass_on(fits.error());
  Value result = run.heap().blob({});
  changed(run, result).resize(size, a.size() > 1 ? octet_of(a[1]) : 0);
  return result;
}

Result push(Run& run, Arguments a) {
  if (auto fits = check_size(run, size_of(a[0]) + 1); !fits) return pass_on(fits.error());
  const std::uint8_t octet = octet_of(a[1]);
  changed(run, a[0]).append({&octet, 1});
  return Value();
}

Result append_blob(Run& run, Arguments a) {
  const Value more = std::move(a[1]);
  if (auto fits = check_size(run, size_of(a[0]) + size_of(more)); !fits) return pass_on(fits.error());
  changed(run, a[0]).append(more.as_blob().span());
  return Value();
}

Result append_text(Run& run, Arguments a) {
  const Text given(a[1]);
  const std::string_view text = given;
  if (auto fits = check_size(run, size_of(a[0]) + text.size()); !fits) return pass_on(fits.error());
  changed(run, a[0]).append({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return Value();
}

Result insert(Run& run, Arguments a) {
  const std::size_t size = size_of(a[0]), at = clipped(a[1].as_int(), size);
  if (auto fits = check_size(run, size + 1); !fits) return pass_on(fits.error());
  if (auto fits = charge(run, size / 64); !fits) return pass_on(fits.error());
  Blob& blob = changed(run, a[0]);
  blob.resize(size + 1, 0);
  std::copy_backward(blob.bytes + at, blob.bytes + size, blob.bytes + size + 1);
  blob[at] = octet_of(a[2]);
  return Value();
}

Value removed(Run& run, Value& variable, std::size_t at) {
  run.charge((variable.as_blob().size() - at) / 64);
  Blob& blob = changed(run, variable);
  const std::int64_t octet = blob[at];
  std::copy(blob.bytes + at + 1, blob.bytes + blob.size(), blob.bytes + at);
  blob.resize(blob.size() - 1, 0);
  return octet;
}

Result pop(Run& run, Arguments a) { return size_of(a[0]) == 0 ? Value() : removed(run, a[0], size_of(a[0]) - 1); }
Result shift(Run& run, Arguments a) { return size_of(a[0]) == 0 ? Value() : removed(run, a[0], 0); }

Result remove(Run& run, Arguments a) {
  const auto at = position_in(a[1].as_int(), size_of(a[0]));
  return at ? removed(run, a[0], *at) : Value();
}

Result get(Run&, Arguments a) {
  const auto at = position_in(a[1].as_int(), size_of(a[0]));
  return at ? Value(std::int64_t{a[0].as_blob()[*at]}) : Value();
}

Result set(Run& run, Arguments a) {
  if (const auto at = position_in(a[1].as_int(), size_of(a[0]))) changed(run, a[0])[*at] = octet_of(a[2]);
  return Value();
}

Result clear(Run& run, Arguments a) {
  a[0] = run.heap().blob({});
  return Value();
}

Result reverse(Run& run, Arguments a) {
  Blob& blob = changed(run, a[0]);
  std::reverse(blob.bytes, blob.bytes + blob.size());
  return Value();
}

Result contains(Run&, Arguments a) {
  const std::int64_t wanted = a[1].as_int();
  return std::ranges::any_of(a[0].as_blob().span(), [wanted](std::uint8_t octet) { return octet == wanted; });
}

Result to_array(Run& run, Arguments a) {
  if (auto fits = check_elements(run, size_of(a[0])); !fits) return pass_on(fits.error());
  Value result = run.heap().array(size_of(a[0]));
  Array& array = result.array_for_write(run.heap());
  for (const std::uint8_t octet : a[0].as_blob().span()) array.push(std::int64_t{octet});
  return result;
}

Result as_string(Run& run, Arguments a) {
  const auto octets = a[0].as_blob().span();
  std::string_view rest(reinterpret_cast<const char*>(octets.data()), octets.size());
  if (base::utf8::is_valid(rest)) return run.string(rest);
  std::string text;
  while (!rest.empty()) {
    const std::size_t sequence = base::utf8::sequence_octets(rest);
    if (sequence == 0)
      base::utf8::append(text, 0xFFFD);
    else
      text += rest.substr(0, sequence);
    rest.remove_prefix(std::max<std::size_t>(sequence, 1));
  }
  return string_result(run, text);
}

constexpr NativeRow kRows[] = {
    {"blob", "", {}, kPure, make, "an empty blob"},
    {"blob", "", {Type::Int}, kPure, make, "a blob of so many zeros"},
    {"blob", "", {Type::Int, Type::Int}, kPure, make, "a blob of so many octets of one value"},
    {"len", "", {Type::Blob}, kProperty, [](Run&, Arguments a) -> Result { return count_of(size_of(a[0])); }, "number of octets"},
    {"is_empty", "", {Type::Blob}, kProperty, [](Run&, Arguments a) -> Result { return size_of(a[0]) == 0; }, "whether it has no octets"},
    {"contains", "", {Type::Blob, Type::Int}, kPure, contains, "whether some octet has the value"},
    {"push", "", {Type::Blob, Type::Int}, kMutates, push, "appends an octet: the lowest 8 bits of the number"},
    {"append", "", {Type::Blob, Type::Blob}, kMutates, append_blob, "appends the octets of another blob; also +="},
    {"append", "", {Type::Blob, Type::Int}, kMutates, push, "appends an octet"},
    {"append", "", {Type::Blob, Type::Text}, kMutates, append_text, "appends a text in UTF-8"},
    {"insert", "", {Type::Blob, Type::Int, Type::Int}, kMutates, insert, "puts an octet before a position; beyond the end it is appended"},
    {"pop", "", {Type::Blob}, kMutates, pop, "takes the last octet away and answers it, () if there is none"},
    {"shift", "", {Type::Blob}, kMutates, shift, "takes the first octet away and answers it, () if there is none"},
    {"remove", "", {Type::Blob, Type::Int}, kMutates, remove, "takes the octet at a position away and answers it, () if there is none"},
    {"get", "", {Type::Blob, Type::Int}, kPure, get, "the octet at a position, () if there is none"},
    {"set", "", {Type::Blob, Type::Int, Type::Int}, kMutates, set, "replaces the octet at a position, if there is one"},
    {"clear", "", {Type::Blob}, kMutates, clear, "takes all octets away"},
    {"reverse", "", {Type::Blob}, kMutates, reverse, "puts the octets into the opposite order"},
    {"to_array", "", {Type::Blob}, kPure, to_array, "array of the octets as integers"},
    {"as_string", "", {Type::Blob}, kPure, as_string, "the octets as UTF-8 text; what is not UTF-8 becomes U+FFFD"},
};

}  // namespace

std::span<const NativeRow> blob_rows() { return kRows; }

}  // namespace vsl::standard
