// split() and its like.
#include <algorithm>

#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

// Collects parts into an array, up to the number that an array may have.
class Parts {
 public:
  explicit Parts(Run& run) : run_(run), value_(run.heap().array()) {}

  bool add(std::string_view part) {
    if (!run_.heap().may_hold_elements(count_ + 1)) return false;
    ++count_;
    value_.array_for_write(run_.heap()).push(run_.string(part));
    return true;
  }
  Result take() { return std::move(value_); }

 private:
  Run& run_;
  Value value_;
  std::size_t count_ = 0;
};

std::size_t most_parts(Arguments a) {
  if (a.size() < 3) return static_cast<std::size_t>(-1);
  return static_cast<std::size_t>(std::max<std::int64_t>(a[2].as_int(), 1));
}

Result split_white(Run& run, Arguments a) {
  Parts parts(run);
  std::string_view text = trimmed(a[0].as_text());
  if (auto fits = charge(run, text.size() / 64); !fits) return pass_on(fits.error());
  while (!text.empty()) {
    std::size_t end = 0, octets = 0;
    while (end < text.size() && !is_white(front_code_point(text.substr(end), octets))) end += octets;
    if (!parts.add(text.substr(0, end))) return too_large("Array");
    text.remove_prefix(end);
    while (!text.empty() && is_white(front_code_point(text, octets))) text.remove_prefix(octets);
  }
  return parts.take();
}

// Where an empty separator stands: before, between and behind all characters.
constexpr std::size_t kNone = std::string_view::npos;

Result split(Run& run, Arguments a) {
  Parts parts(run);
  const Text separator_text(a[1]);
  const std::string_view separator = separator_text;
  std::string_view text = a[0].as_text();
  if (auto fits = charge(run, text.size() / 64); !fits) return pass_on(fits.error());
  std::size_t left = most_parts(a);
  bool is_first = true;
  for (; left > 1; --left) {
    std::size_t at = text.find(separator);
    if (separator.empty()) at = is_first ? 0 : text.empty() ? kNone : front_octets(text);
    is_first = false;
    if (at == kNone) break;
    if (!parts.add(text.substr(0, at))) return too_large("Array");
    text.remove_prefix(at + separator.size());
  }
  if (!parts.add(text)) return too_large("Array");
  return parts.take();
}

Result split_rev(Run& run, Arguments a) {
  Parts parts(run);
  const Text separator_text(a[1]);
  const std::string_view separator = separator_text;
  std::string_view text = a[0].as_text();
  if (auto fits = charge(run, text.size() / 64); !fits) return pass_on(fits.error());
  std::size_t left = most_parts(a);
  bool is_first = true;
  for (; left > 1; --left) {
    std::size_t at = text.rfind(separator);
    if (separator.empty()) {
      at = is_first ? text.size() : text.empty() ? kNone : text.size() - 1;
      while (at != kNone && at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    }
    is_first = false;
    if (at == kNone) break;
    if (!parts.add(text.substr(at + separator.size()))) return too_large("Array");
    text = text.substr(0, at);
  }
  if (!parts.add(text)) return too_large("Array");
  return parts.take();
}

Result split_at(Run& run, Arguments a) {
  const std::size_t size = code_points(a[0]);
  const std::size_t at = clipped(a[1].as_int(), size);
  const Value both[] = {run.string(part_text(a[0], {0, at})), run.string(part_text(a[0], {at, size - at}))};
  return run.heap().array(both);
}

constexpr NativeRow kRows[] = {
    {"split", "", {Type::String}, kPure, split_white, "array of the parts between white space"},
    {"split", "", {Type::String, Type::Text}, kPure, split, "array of the parts between separators"},
    {"split", "", {Type::String, Type::Text, Type::Int}, kPure, split, "array of at most so many parts; the last one keeps the rest"},
    {"split", "", {Type::String, Type::Int}, kPure, split_at, "array of the two parts before and from a position"},
    {"split_rev", "", {Type::String, Type::Text}, kPure, split_rev, "array of the parts between separators, from the end"},
    {"split_rev", "", {Type::String, Type::Text, Type::Int}, kPure, split_rev,
     "array of at most so many parts from the end; the last one keeps the rest"},
};

}  // namespace

std::span<const NativeRow> string_part_rows() { return kRows; }

}  // namespace vsl::standard
