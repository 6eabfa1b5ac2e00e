// What a host says about a class of values of its own. Operations may be left null: then the language's default holds.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/value.h"

namespace vsl {

class Run;

// Objects of a loaded Program are used by many threads at once: these functions must not change `data` unless it is made for that.
// `self` is always a host object of the class.
struct HostClass {
  std::string_view name;  // what type_of() says
  // Parameters of native functions that take this class take all classes of that base.
  const HostClass* base = nullptr;

  // At the end of the last value, or of the heap. Null: data is not owned.
  void (*destroy)(void* data) noexcept = nullptr;
  // Before other threads see it: a class that keeps Values gives them to Heap::freeze(). Null: nothing to do.
  void (*freeze)(HostObject& self) = nullptr;

  // Appends what print() shows; null: the class's name. And what debug() shows; null: as text.
  void (*text)(const HostObject& self, std::string& out) = nullptr;
  void (*debug)(const HostObject& self, std::string& out) = nullptr;

  // `==` with a host object on at least one side: the left one's class is asked first, then the right one's. nullopt: nothing is
  // known about such a pair; when no class knows, the two are equal if they are one object.
  Expected<std::optional<bool>> (*equal)(Run& run, const Value& self, const Value& other) = nullptr;
  // `<` and its like; `other` may stand on either side of the script's text. nullopt: not known.
  Expected<std::optional<std::partial_ordering>> (*compare)(Run& run, const Value& self, const Value& other) = nullptr;
  // `element in self`, self.contains(element). Null: an error.
  Expected<bool> (*contains)(Run& run, const Value& self, const Value& element) = nullptr;
  // Whether `element in [self]` looks into self too, as for a range or a list.
  bool is_searched_in_arrays = true;
  // self + other and so on for the operators + - * / % ** << >>; Absent: not known. `is_left`: self stands on the left.
  Result (*arithmetic)(Run& run, std::string_view symbol, const Value& self, const Value& other, bool is_left) = nullptr;

  // self[i], and self[i] = value.
  Result (*index)(Run& run, const Value& self, const Value& index) = nullptr;
  Expected<void> (*set_index)(Run& run, const Value& self, const Value& index, const Value& value) = nullptr;
  // self.name: Absent where there is no such property (then native functions marked as properties are tried).
  Result (*get)(Run& run, const Value& self, std::string_view name) = nullptr;
  // false where there is no such property.
  Expected<bool> (*set)(Run& run, const Value& self, std::string_view name, const Value& value) = nullptr;

  // `for x in self`: puts the element at `position` (0, 1, 2, ...) into `element`; false behind the last.
  Expected<bool> (*element)(Run& run, const Value& self, std::size_t position, Value& element) = nullptr;
};

// The T of a host object of this class, or null.
template <class T>
T* host_cast(const Value& value, const HostClass& host_class) {
  if (!value.is_host() || value.as_host().host_class != &host_class) return nullptr;
  return &value.as_host().as<T>();
}

// `destroy` of a class whose data is a T made by new.
template <class T>
void destroy_as(void* data) noexcept {
  delete static_cast<T*>(data);
}

}  // namespace vsl
