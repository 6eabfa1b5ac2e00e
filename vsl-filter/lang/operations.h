// What operators, indexes and properties do with values (specification 1.3), apart from the quick cases that the machine has itself.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vsl-filter/lang/ast.h"
#include "vsl-filter/lang/bytecode.h"
#include "vsl-filter/lang/failure.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/lang/value.h"

namespace vsl {

using Operator = ast::BinaryOperator;

// "+", "<<", ... as written.
std::string_view symbol_of(Operator op);

// Both sides evaluated; not And, Or, Coalesce.
Result operate(Run& run, Operator op, const Value& a, const Value& b);
// target op= b. += also pushes on arrays and mixes into maps; in place where nobody else sees the object.
Expected<void> operate_on(Run& run, Operator op, Value& target, const Value& b);
Result negate(Run& run, const Value& value);
// Arithmetic of two integers: + - * / % ** << >> & | ^.
Result operate_on_ints(Operator op, std::int64_t a, std::int64_t b);

Expected<bool> equal(Run& run, const Value& a, const Value& b, int depth = 0);
// nullopt: they have no order, every comparison is false.
Expected<std::optional<std::partial_ordering>> compare(Run& run, Operator op, const Value& a, const Value& b);
Expected<bool> contains(Run& run, const Value& container, const Value& element);

Result get_index(Run& run, const Value& object, const Value& index);
Expected<void> set_index(Run& run, Value& object, const Value& index, const Value& value);
Result get_field(Run& run, const Value& object, const Field& field);
Expected<void> set_field(Run& run, Value& object, const Value& name, const Value& value);

// Where in a sequence of `size` elements; negative counts from the end. nullopt: outside.
std::optional<std::size_t> resolve_index(std::int64_t index, std::size_t size);
std::unexpected<Failure> array_bounds(std::int64_t index, std::size_t size);
std::unexpected<Failure> string_bounds(std::int64_t index, std::size_t size);

// Octets [first, last) of the text from code point `from`, at most `count` of them.
std::string_view code_point_range(std::string_view text, std::size_t from, std::size_t count);
// The code point at this octet and the octets it takes; malformed octets count as one each.
char32_t code_point_at(std::string_view text, std::size_t octet, std::size_t& octets);

// "Function not found: name (i64, string)".
std::unexpected<Failure> function_not_found(std::string_view name, std::span<const Value> arguments);
// "Expecting a boolean expression, not a T".
std::unexpected<Failure> not_a_bool(const Value& value);

}  // namespace vsl
