// Strings: what changes the variable.
#include <algorithm>

#include "lib/base/utf8.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"
#include "vsl-filter/lang/text.h"

namespace vsl::standard {

namespace {

Result assign(Run& run, Value& variable, std::string_view text) {
  if (auto fits = charge(run, text.size() / 64); !fits) return pass_on(fits.error());
  if (auto fits = check_octets(run, text.size()); !fits) return pass_on(fits.error());
  variable = run.string(text);
  return Value();
}

Result trim(Run& run, Arguments a) {
  const std::string_view text = a[0].as_text(), inner = trimmed(text);
  if (inner.size() == text.size()) return Value();
  return assign(run, a[0], inner);
}

// An empty `what` stands before, between and behind all characters.
Expected<std::string> replaced(Run& run, std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  for (;;) {
    if (auto fits = check_octets(run, out.size()); !fits) return pass_on(fits.error());
    const auto at = what.empty() ? 0 : text.find(what);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    out += with;
    text.remove_prefix(at + what.size());
    if (!what.empty()) continue;
    if (text.empty()) break;
    const std::size_t octets = front_octets(text);
    out += text.substr(0, octets);
    text.remove_prefix(octets);
  }
  out += text;
  return out;
}

Result replace(Run& run, Arguments a) {
  const std::string_view text = a[0].as_text();
  const Text what(a[1]), with(a[2]);
  if (auto fits = charge(run, text.size() / 64); !fits) return pass_on(fits.error());
  if (text.find(what) == std::string_view::npos) return Value();
  auto out = replaced(run, text, what, with);
  if (!out) return pass_on(out.error());
  return assign(run, a[0], *out);
}

Result remove(Run& run, Arguments a) {
  const Text what(a[1]);
  if (static_cast<std::string_view>(what).empty()) return Value();
  if (auto fits = charge(run, a[0].as_text().size() / 64); !fits) return pass_on(fits.error());
  auto out = replaced(run, a[0].as_text(), what, {});
  if (!out) return pass_on(out.error());
  return assign(run, a[0], *out);
}

// Nothing happens outside of the string.
Result set(Run& run, Arguments a) {
  const auto at = position_in(a[1].as_int(), code_points(a[0]));
  if (!at) return Value();
  const std::string_view text = a[0].as_text(), old = part_text(a[0], {*at, 1});
  const auto octet = static_cast<std::size_t>(old.data() - text.data());
  std::string changed(text.substr(0, octet));
  base::utf8::append(changed, a[2].as_char());
  changed += text.substr(octet + old.size());
  return assign(run, a[0], changed);
}

Result truncate(Run& run, Arguments a) {
  const std::size_t keep = static_cast<std::size_t>(std::max<std::int64_t>(a[1].as_int(), 0));
  if (keep >= code_points(a[0])) return Value();
  return assign(run, a[0], part_text(a[0], {0, keep}));
}

Result clear(Run&, Arguments a) {
  a[0] = Value::short_string({});
  return Value();
}

Result pop(Run& run, Arguments a) {
  run.charge(a[0].as_text().size() / 64);
  const std::size_t size = code_points(a[0]);
  if (size == 0) return Value();
  std::size_t octets = 0;
  const char32_t last = front_code_point(part_text(a[0], {size - 1, 1}), octets);
  a[0] = run.string(part_text(a[0], {0, size - 1}));
  return Value::character(last);
}

Result pop_many(Run& run, Arguments a) {
  run.charge(a[0].as_text().size() / 64);
  const std::size_t size = code_points(a[0]);
  const std::size_t count = std::min(size, static_cast<std::size_t>(std::max<std::int64_t>(a[1].as_int(), 0)));
  Value tail = run.string(part_text(a[0], {size - count, count}));
  a[0] = run.string(part_text(a[0], {0, size - count}));
  return tail;
}

Result pad(Run& run, Arguments a) {
  const Text fill_text(a[2]);
  const std::string_view fill = fill_text;
  const std::size_t size = code_points(a[0]);
  if (a[1].as_int() <= static_cast<std::int64_t>(size) || fill.empty()) return Value();
  const std::size_t missing = static_cast<std::size_t>(a[1].as_int()) - size;
  const std::size_t in_fill = std::max<std::size_t>(length_of(fill), 1);
  // Compared before multiplied: `missing` may be anything.
  if (auto fits = check_octets(run, missing); !fits) return pass_on(fits.error());
  const std::size_t whole = missing / in_fill;
  const std::string_view rest = fill.substr(0, octets_of(fill, missing % in_fill));
  if (auto fits = check_octets(run, a[0].as_text().size() + whole * fill.size() + rest.size()); !fits) return pass_on(fits.error());
  std::string out(a[0].as_text());
  for (std::size_t i = 0; i < whole; ++i) out += fill;
  out += rest;
  return assign(run, a[0], out);
}

Result append(Run& run, Arguments a) {
  std::string room;
  if (!a[1].is_string()) append_text(room, a[1]);
  const std::string_view more = a[1].is_string() ? a[1].as_text() : room;
  if (auto fits = check_octets(run, a[0].as_text().size() + more.size()); !fits) return pass_on(fits.error());
  run.heap().append(a[0], more);
  return Value();
}

constexpr NativeRow kRows[] = {
    {"trim", "", {Type::String}, kMutates, trim, "strips white space from both ends of the variable"},
    {"replace", "", {Type::String, Type::Text, Type::Text}, kMutates, replace,
     "puts the second text wherever the first one is in the variable"},
    {"remove", "", {Type::String, Type::Text}, kMutates, remove, "takes all such texts out of the variable"},
    {"set", "", {Type::String, Type::Int, Type::Char}, kMutates, set, "puts a char at a position of the variable, if there is one"},
    {"truncate", "", {Type::String, Type::Int}, kMutates, truncate, "keeps only the first so many chars"},
    {"clear", "", {Type::String}, kMutates, clear, "makes the variable empty"},
    {"pop", "", {Type::String}, kMutates, pop, "takes the last char away and answers it, () if there is none"},
    {"pop", "", {Type::String, Type::Int}, kMutates, pop_many, "takes the last so many chars away and answers them as a string"},
    {"pad", "", {Type::String, Type::Int, Type::Text}, kMutates, pad, "appends a text again and again until there are so many chars"},
    {"append", "push", {Type::String, Type::Any}, kMutates, append, "appends the text of a value; also +="},
};

}  // namespace

std::span<const NativeRow> string_edit_rows() { return kRows; }

}  // namespace vsl::standard
