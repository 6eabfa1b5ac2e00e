// Parts of blobs, as those of arrays.
#include <algorithm>
#include <vector>

#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

using Octets = std::span<const std::uint8_t>;

// f(blob, start), f(blob, start, count), f(blob, range)
Part part_argument(Arguments a) {
  const std::size_t size = a[0].as_blob().size();
  if (a[1].is_range()) return part_of(a[1].as_range(), size);
  return a.size() > 2 ? part_of(a[1].as_int(), a[2].as_int(), size) : part_from(a[1].as_int(), size);
}

Octets octets_of(const Value& blob, Part part) { return blob.as_blob().span().subspan(part.first, part.count); }

// The blob with other octets in place of a part.
Value with(Run& run, const Value& blob, Part part, Octets octets) {
  run.charge(blob.as_blob().size() / 64);
  Value result = run.heap().blob(octets_of(blob, {0, part.first}));
  Blob& target = result.blob_for_write(run.heap());
  target.append(octets);
  target.append(blob.as_blob().span().subspan(part.end()));
  return result;
}

Result extract(Run& run, Arguments a) { return run.heap().blob(octets_of(a[0], part_argument(a))); }

Result cut(Run& run, Arguments a) {
  const Part part = part_argument(a);
  Value taken = run.heap().blob(octets_of(a[0], part));
  a[0] = with(run, a[0], part, {});
  return taken;
}

Result retain(Run& run, Arguments a) {
  const Part part = part_argument(a);
  Value taken = with(run, a[0], part, {});
  a[0] = run.heap().blob(octets_of(a[0], part));
  return taken;
}

Result splice(Run& run, Arguments a) {
  const std::size_t size = a[0].as_blob().size();
  const Part part = a[1].is_range() ? part_of(a[1].as_range(), size) : part_of(a[1].as_int(), a[2].as_int(), size);
  const Octets inserted = a.back().as_blob().span();
  if (!run.heap().may_hold_string(size - part.count + inserted.size())) return too_large("Blob");
  a[0] = with(run, a[0], part, inserted);
  return Value();
}

std::size_t not_negative(const Value& number) { return static_cast<std::size_t>(std::max<std::int64_t>(number.as_int(), 0)); }

Result truncate(Run& run, Arguments a) {
  const std::size_t keep = not_negative(a[1]);
  if (keep < a[0].as_blob().size()) a[0].blob_for_write(run.heap()).resize(keep, 0);
  return Value();
}

Result chop(Run& run, Arguments a) {
  const std::size_t keep = not_negative(a[1]), size = a[0].as_blob().size();
  if (keep < size) a[0] = run.heap().blob(octets_of(a[0], {size - keep, keep}));
  return Value();
}

Result pad(Run& run, Arguments a) {
  const std::size_t size = not_negative(a[1]);
  if (size <= a[0].as_blob().size()) return Value();
  if (!run.heap().may_hold_string(size)) return too_large("Blob");
  a[0].blob_for_write(run.heap()).resize(size, static_cast<std::uint8_t>(a[2].as_int()));
  return Value();
}

constexpr NativeRow kRows[] = {
    {"extract", "", {Type::Blob, Type::Int}, kPure, extract, "blob of the octets from a position on"},
    {"extract", "", {Type::Blob, Type::Int, Type::Int}, kPure, extract, "blob of so many octets from a position on"},
    {"extract", "", {Type::Blob, Type::Range}, kPure, extract, "blob of the octets at these positions"},
    {"split", "", {Type::Blob, Type::Int}, kMutates, cut, "cuts the octets from a position on off and answers them"},
    {"drain", "", {Type::Blob, Type::Range}, kMutates, cut, "takes the octets at these positions away and answers them"},
    {"drain", "", {Type::Blob, Type::Int, Type::Int}, kMutates, cut, "takes so many octets from a position on away and answers them"},
    {"retain", "", {Type::Blob, Type::Range}, kMutates, retain, "keeps only the octets at these positions, answers the others"},
    {"retain", "", {Type::Blob, Type::Int, Type::Int}, kMutates, retain,
     "keeps only so many octets from a position on, answers the others"},
    {"splice", "", {Type::Blob, Type::Int, Type::Int, Type::Blob}, kMutates, splice,
     "puts another blob in place of so many octets from a position on"},
    {"splice", "", {Type::Blob, Type::Range, Type::Blob}, kMutates, splice, "puts another blob in place of the octets at these positions"},
    {"truncate", "", {Type::Blob, Type::Int}, kMutates, truncate, "keeps only the first so many octets"},
    {"chop", "", {Type::Blob, Type::Int}, kMutates, chop, "keeps only the last so many octets"},
    {"pad", "", {Type::Blob, Type::Int, Type::Int}, kMutates, pad, "appends an octet again and again until there are so many"},
};

}  // namespace

std::span<const NativeRow> blob_part_rows() { return kRows; }

}  // namespace vsl::standard
