// ==, <, in: which values are equal, ordered, contained (specification 1.3; host objects say it themselves).
#include <algorithm>

#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/operations.h"
#include "vsl-filter/lang/text.h"

namespace vsl {

namespace {

constexpr int kDeepest = 256;

std::unexpected<Failure> too_deep() { return fail(ErrorKind::StackOverflow, "Stack overflow"); }

bool is_one_letter(const Value& string, char32_t letter) {
  const std::string_view text = string.as_text();
  std::size_t octets = 0;
  return !text.empty() && code_point_at(text, 0, octets) == letter && octets == text.size();
}

Expected<bool> equal_hosts(Run& run, const Value& a, const Value& b) {
  for (const bool is_left : {true, false}) {
    const Value& self = is_left ? a : b;
    if (!self.is_host() || self.as_host().host_class->equal == nullptr) continue;
    auto answer = self.as_host().host_class->equal(run, self, is_left ? b : a);
    if (!answer) return std::unexpected(std::move(answer.error()));
    if (*answer) return **answer;
  }
  return a.is_host() && b.is_host() && a.object() == b.object();
}

Expected<bool> equal_arrays(Run& run, const Array& a, const Array& b, int depth) {
  if (a.size() != b.size()) return false;
  if (!run.charge(a.size())) return fail(ErrorKind::TooManyOperations, "Too many operations");
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto is_equal = equal(run, a[i], b[i], depth + 1);
    if (!is_equal || !*is_equal) return is_equal;
  }
  return true;
}

Expected<bool> equal_maps(Run& run, const Map& a, const Map& b, int depth) {
  if (a.size() != b.size()) return false;
  if (!run.charge(a.size())) return fail(ErrorKind::TooManyOperations, "Too many operations");
  for (const auto& [key, value] : a.entries()) {
    const Value* other = b.find(key);
    if (other == nullptr) return false;
    auto is_equal = equal(run, value, *other, depth + 1);
    if (!is_equal || !*is_equal) return is_equal;
  }
  return true;
}

bool equal_ranges(const Range& a, const Range& b) {
  return a.first == b.first && a.last == b.last && a.is_inclusive == b.is_inclusive;
}

bool equal_functions(const Function& a, const Function& b) {
  if (&a == &b) return true;
  return a.captured + a.curried + b.captured + b.curried == 0 && a.code == b.code && same_text(a.name, b.name);
}

std::unexpected<Failure> no_order(Operator op, const Value& a, const Value& b) {
  const Value both[] = {a, b};
  return function_not_found(symbol_of(op), both);
}

Expected<bool> array_contains(Run& run, const Array& array, const Value& element) {
  if (!run.charge(array.size())) return fail(ErrorKind::TooManyOperations, "Too many operations");
  for (const Value& one : array) {
    const auto is_equal = equal(run, element, one);
    if (is_equal && *is_equal) return true;
    if (!one.is_host() || one.as_host().host_class->contains == nullptr || !one.as_host().host_class->is_searched_in_arrays) continue;
    const auto is_inside = one.as_host().host_class->contains(run, one, element);
    if (is_inside && *is_inside) return true;
  }
  return false;
}

}  // namespace

Expected<bool> equal(Run& run, const Value& a, const Value& b, int depth) {
  if (depth > kDeepest) return too_deep();
  if (a.is_host() || b.is_host()) return equal_hosts(run, a, b);
  if (a.is_number() && b.is_number()) return a.is_int() && b.is_int() ? a.as_int() == b.as_int() : a.as_number() == b.as_number();
  if (a.is_string() && b.is_string()) return same_text(a, b);
  if (a.is_char() && b.is_string()) return is_one_letter(b, a.as_char());
  if (a.is_string() && b.is_char()) return is_one_letter(a, b.as_char());
  if (a.tag() != b.tag()) return false;
  switch (a.tag()) {
    case Tag::Unit: return true;
    case Tag::Bool: return a.as_bool() == b.as_bool();
    case Tag::Char: return a.as_char() == b.as_char();
    case Tag::Timestamp: return a.as_timestamp() == b.as_timestamp();
    case Tag::Array: return equal_arrays(run, a.as_array(), b.as_array(), depth);
    case Tag::Blob: return std::ranges::equal(a.as_blob().span(), b.as_blob().span());
    case Tag::Map: return equal_maps(run, a.as_map(), b.as_map(), depth);
    case Tag::Range: return equal_ranges(a.as_range(), b.as_range());
    case Tag::Function: return equal_functions(a.as_function(), b.as_function());
    default: return false;
  }
}

Expected<std::optional<std::partial_ordering>> compare(Run& run, Operator op, const Value& a, const Value& b) {
  using Order = std::optional<std::partial_ordering>;
  if (a.is_int() && b.is_int()) return Order(a.as_int() <=> b.as_int());
  if (a.is_number() && b.is_number()) return Order(a.as_number() <=> b.as_number());
  if (a.is_string() && b.is_string()) return Order(a.as_text() <=> b.as_text());
  if ((a.is_string() || a.is_char()) && (b.is_string() || b.is_char())) return Order(text_of(a) <=> text_of(b));
  if (a.is_bool() && b.is_bool()) return Order(a.as_bool() <=> b.as_bool());
  if (a.is(Tag::Timestamp) && b.is(Tag::Timestamp)) return Order(a.as_timestamp() <=> b.as_timestamp());
  if (a.is_host() && a.as_host().host_class->compare != nullptr) return a.as_host().host_class->compare(run, a, b);
  if (b.is_host() && b.as_host().host_class->compare != nullptr) {
    auto order = b.as_host().host_class->compare(run, b, a);
    if (order && *order) return Order(0 <=> **order);
    return order;
  }
  if (a.tag() == b.tag() && (a.is_array() || a.is_map())) return no_order(op, a, b);
  return Order();
}

Expected<bool> contains(Run& run, const Value& container, const Value& element) {
  switch (container.tag()) {
    case Tag::Array: return array_contains(run, container.as_array(), element);
    case Tag::Short:
    case Tag::String:
      if (element.is_string()) return container.as_text().find(element.as_text()) != std::string_view::npos;
      if (element.is_char()) return container.as_text().find(text_of(element)) != std::string_view::npos;
      break;
    case Tag::Map:
      if (element.is_string()) return container.as_map().find(element) != nullptr;
      if (element.is_char() || element.is_host()) return container.as_map().find(text_of(element)) != nullptr;
      break;
    case Tag::Range:
      if (element.is_int()) return container.as_range().contains(element.as_int());
      break;
    case Tag::Blob:
      if (element.is_int()) return std::ranges::find(container.as_blob().span(), element.as_int()) != container.as_blob().span().end();
      break;
    case Tag::Host:
      if (container.as_host().host_class->contains != nullptr) return container.as_host().host_class->contains(run, container, element);
      break;
    default: break;
  }
  return fail_api("cannot look for a '" + std::string(type_name(element)) + "' object in a '" + std::string(type_name(container)) + "' object");
}

}  // namespace vsl
