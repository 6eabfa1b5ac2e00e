// Maps. Callbacks get (k, v), or (k) with `this` = v.
#include "vsl-filter/lang/json.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

Map& changed(Run& run, Value& variable) {
  charge_copy(run, variable, variable.as_map().size());
  return variable.map_for_write(run.heap());
}

Result keys(Run& run, Arguments a) {
  if (auto fits = charge(run, a[0].as_map().size()); !fits) return pass_on(fits.error());
  Value result = run.heap().array(a[0].as_map().size());
  for (const auto& [key, value] : a[0].as_map().entries()) result.array_for_write(run.heap()).push(key);
  return result;
}

Result values(Run& run, Arguments a) {
  if (auto fits = charge(run, a[0].as_map().size()); !fits) return pass_on(fits.error());
  Value result = run.heap().array(a[0].as_map().size());
  for (const auto& [key, value] : a[0].as_map().entries()) result.array_for_write(run.heap()).push(value);
  return result;
}

Result contains(Run&, Arguments a) { return a[0].as_map().find(a[1]) != nullptr; }

Result get(Run&, Arguments a) {
  const Value* found = a[0].as_map().find(a[1]);
  return found == nullptr ? Value() : *found;
}

Expected<void> check_room(Run& run, const Map& map, std::size_t more) {
  if (!run.heap().may_hold_elements(map.size() + more)) return too_large("Map");
  return {};
}

Result set(Run& run, Arguments a) {
  if (auto fits = check_room(run, a[0].as_map(), a[0].as_map().find(a[1]) == nullptr ? 1 : 0); !fits) return pass_on(fits.error());
  changed(run, a[0]).set(a[1], std::move(a[2]));
  return Value();
}

Result remove(Run& run, Arguments a) {
  if (a[0].as_map().find(a[1]) == nullptr) return Value();
  return changed(run, a[0]).remove(a[1]);
}

Result clear(Run& run, Arguments a) {
  a[0] = run.heap().map();
  return Value();
}

// Takes over the members of another map: all of them, or those that are not there yet.
template <bool kOverwrite>
Result merge(Run& run, Arguments a) {
  const Value other = std::move(a[1]);
  if (auto fits = charge(run, other.as_map().size()); !fits) return pass_on(fits.error());
  Map& map = changed(run, a[0]);
  for (const auto& [key, value] : other.as_map().entries()) {
    if (map.find(key) != nullptr) {
      if (kOverwrite) map.set(key, value);
      continue;
    }
    if (auto fits = check_room(run, map, 1); !fits) return pass_on(fits.error());
    map.set(key, value);
  }
  return Value();
}

class MemberCallback {
 public:
  MemberCallback(Run& run, const Value& function) : run_(run), function_(function), takes_(run.parameters_of(function)) {}

  Result operator()(const Map::Entry& member) const {
    if (takes_ != 0 && takes_ != 1) return run_.call_back(function_, {member.key, member.value});
    Value self = member.value;
    const Value arguments[] = {member.key};
    return run_.call_back_on(self, function_, {arguments, static_cast<std::size_t>(takes_)});
  }

 private:
  Run& run_;
  const Value& function_;
  int takes_;
};

// Parts the members into those for which the callback is true and the others.
struct Parted {
  Value yes, no;
};
Expected<Parted> part(Run& run, Arguments a) {
  const MemberCallback callback(run, a[1]);
  const Value source = a[0];
  Parted parted{run.heap().map(), run.heap().map()};
  for (const Map::Entry& member : source.as_map().entries()) {
    auto is_it = bool_of(callback(member));
    if (!is_it) return pass_on(is_it.error());
    changed(run, *is_it ? parted.yes : parted.no).set(member.key, member.value);
  }
  return parted;
}

Result filter(Run& run, Arguments a) {
  auto parted = part(run, a);
  if (!parted) return pass_on(parted.error());
  return std::move(parted->yes);
}

Result drain(Run& run, Arguments a) {
  auto parted = part(run, a);
  if (!parted) return pass_on(parted.error());
  a[0] = std::move(parted->no);
  return std::move(parted->yes);
}

Result retain(Run& run, Arguments a) {
  auto parted = part(run, a);
  if (!parted) return pass_on(parted.error());
  a[0] = std::move(parted->yes);
  return std::move(parted->no);
}

Result map(Run& run, Arguments a) {
  const MemberCallback callback(run, a[1]);
  Value result = run.heap().map();
  for (const Map::Entry& member : a[0].as_map().entries()) {
    Result made = callback(member);
    if (!made) return made;
    changed(run, result).set(member.key, std::move(*made));
  }
  return result;
}

Result to_json(Run& run, Arguments a) {
  std::string out;
  if (auto fits = charge(run, a[0].as_map().size()); !fits) return pass_on(fits.error());
  if (!json::write(out, a[0], 0, run.heap().limits().string_octets)) return too_large("JSON text");
  return string_result(run, out);
}

constexpr NativeRow kRows[] = {
    {"len", "", {Type::Map}, kProperty, [](Run&, Arguments a) -> Result { return count_of(a[0].as_map().size()); }, "number of members"},
    {"is_empty", "", {Type::Map}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_map().empty(); },
     "whether it has no members"},
    {"keys", "", {Type::Map}, kPure, keys, "array of the keys, in their order"},
    {"values", "", {Type::Map}, kPure, values, "array of the values, in the order of the keys"},
    {"contains", "", {Type::Map, Type::String}, kPure, contains, "whether there is such a key; also `key in map`"},
    {"get", "", {Type::Map, Type::String}, kPure, get, "the value of a key, () if there is none"},
    {"set", "", {Type::Map, Type::String, Type::Any}, kMutates, set, "gives a key a value"},
    {"remove", "", {Type::Map, Type::String}, kMutates, remove, "takes a key away and answers its value, () if there is none"},
    {"clear", "", {Type::Map}, kMutates, clear, "takes all members away"},
    {"mixin", "", {Type::Map, Type::Map}, kMutates, merge<true>, "takes over the members of another map; also +="},
    {"fill_with", "", {Type::Map, Type::Map}, kMutates, merge<false>, "takes over those members of another map that are absent"},
    {"filter", "", {Type::Map, Type::Callback}, kCalls, filter, "map of the members for which f(k, v) is true"},
    {"drain", "", {Type::Map, Type::Callback}, kCalls | kMutates, drain,
     "takes the members away for which f(k, v) is true and answers them"},
    {"retain", "", {Type::Map, Type::Callback}, kCalls | kMutates, retain,
     "keeps only the members for which f(k, v) is true, answers the others"},
    {"map", "", {Type::Map, Type::Callback}, kCalls, map, "map of the same keys with what f(k, v) makes of each"},
    {"to_json", "", {Type::Map}, kPure, to_json, "the map as a JSON object, in one line"},
};

}  // namespace

std::span<const NativeRow> map_rows() { return kRows; }

}  // namespace vsl::standard
