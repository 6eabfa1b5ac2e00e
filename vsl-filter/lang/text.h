// The text forms of values (specification 1.3).
#pragma once

#include <string>

#include "vsl-filter/lang/value.h"

namespace vsl {

// As print() and templates show it: strings and chars bare, unit empty.
void append_text(std::string& out, const Value& value);
std::string text_of(const Value& value);
// As debug() shows it: strings quoted and escaped, unit ().
void append_debug(std::string& out, const Value& value);
std::string debug_of(const Value& value);
// The debug form of a value that may be large, cut off behind about so many octets; takes no longer than that needs.
std::string shortened_debug_of(const Value& value, std::size_t octets);

// 2.0, 1e20, 1e-7, inf, NaN: always with a fraction or an exponent.
void append_float(std::string& out, double number);

}  // namespace vsl
