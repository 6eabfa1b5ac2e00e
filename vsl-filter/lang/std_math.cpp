// Functions of floats; integers are taken too.
#include <cmath>
#include <numbers>

#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

template <double (*kFunction)(double)>
Result apply(Run&, Arguments a) {
  return kFunction(a[0].as_number());
}

// One address for each: std:: has overloads.
double floor(double x) { return std::floor(x); }
double ceiling(double x) { return std::ceil(x); }
double round(double x) { return std::round(x); }
double whole(double x) { return std::trunc(x); }
double fraction(double x) { return x - std::trunc(x); }
double square_root(double x) { return std::sqrt(x); }
double exponential(double x) { return std::exp(x); }
double natural_log(double x) { return std::log(x); }
double decimal_log(double x) { return std::log10(x); }
double sine(double x) { return std::sin(x); }
double cosine(double x) { return std::cos(x); }
double tangent(double x) { return std::tan(x); }
double arc_sine(double x) { return std::asin(x); }
double arc_cosine(double x) { return std::acos(x); }
double arc_tangent(double x) { return std::atan(x); }
double hyperbolic_sine(double x) { return std::sinh(x); }
double hyperbolic_cosine(double x) { return std::cosh(x); }
double hyperbolic_tangent(double x) { return std::tanh(x); }
double area_sine(double x) { return std::asinh(x); }
double area_cosine(double x) { return std::acosh(x); }
double area_tangent(double x) { return std::atanh(x); }
double degrees(double x) { return x * (180 / std::numbers::pi); }
double radians(double x) { return x * (std::numbers::pi / 180); }

Result log_to_base(Run&, Arguments a) { return std::log(a[0].as_number()) / std::log(a[1].as_number()); }
Result angle(Run&, Arguments a) { return std::atan2(a[0].as_number(), a[1].as_number()); }
Result hypotenuse(Run&, Arguments a) { return std::hypot(a[0].as_number(), a[1].as_number()); }

// Of an integer it is the integer.
template <double (*kFunction)(double)>
Result rounded(Run&, Arguments a) {
  if (a[0].is_int()) return a[0];
  return kFunction(a[0].as_float());
}

constexpr NativeRow kMath[] = {
    {"floor", "", {Type::Number}, kProperty, rounded<floor>, "rounded down"},
    {"ceiling", "", {Type::Number}, kProperty, rounded<ceiling>, "rounded up"},
    {"round", "", {Type::Number}, kProperty, rounded<round>, "rounded to the nearest, halves away from 0"},
    {"int", "", {Type::Number}, kProperty, rounded<whole>, "without its fraction"},
    {"fraction", "", {Type::Float}, kProperty, apply<fraction>, "only its fraction"},
    {"is_nan", "", {Type::Float}, kProperty, [](Run&, Arguments a) -> Result { return std::isnan(a[0].as_float()); },
     "whether it is not a number"},
    {"is_finite", "", {Type::Float}, kProperty, [](Run&, Arguments a) -> Result { return std::isfinite(a[0].as_float()); },
     "whether it is neither infinite nor NaN"},
    {"is_infinite", "", {Type::Float}, kProperty, [](Run&, Arguments a) -> Result { return std::isinf(a[0].as_float()); },
     "whether it is infinite"},
    {"sqrt", "", {Type::Number}, kPure, apply<square_root>, "square root"},
    {"exp", "", {Type::Number}, kPure, apply<exponential>, "e to the power of it"},
    {"ln", "", {Type::Number}, kPure, apply<natural_log>, "natural logarithm"},
    {"log", "", {Type::Number}, kPure, apply<decimal_log>, "logarithm to the base 10"},
    {"log", "", {Type::Number, Type::Number}, kPure, log_to_base, "logarithm to a base"},
    {"sin", "", {Type::Number}, kPure, apply<sine>, "sine of an angle in radians"},
    {"cos", "", {Type::Number}, kPure, apply<cosine>, "cosine of an angle in radians"},
    {"tan", "", {Type::Number}, kPure, apply<tangent>, "tangent of an angle in radians"},
    {"asin", "", {Type::Number}, kPure, apply<arc_sine>, "arc sine, in radians"},
    {"acos", "", {Type::Number}, kPure, apply<arc_cosine>, "arc cosine, in radians"},
    {"atan", "", {Type::Number}, kPure, apply<arc_tangent>, "arc tangent, in radians"},
    {"atan", "", {Type::Number, Type::Number}, kPure, angle, "angle of the point with this y and x, in radians"},
    {"sinh", "", {Type::Number}, kPure, apply<hyperbolic_sine>, "hyperbolic sine"},
    {"cosh", "", {Type::Number}, kPure, apply<hyperbolic_cosine>, "hyperbolic cosine"},
    {"tanh", "", {Type::Number}, kPure, apply<hyperbolic_tangent>, "hyperbolic tangent"},
    {"asinh", "", {Type::Number}, kPure, apply<area_sine>, "inverse hyperbolic sine"},
    {"acosh", "", {Type::Number}, kPure, apply<area_cosine>, "inverse hyperbolic cosine"},
    {"atanh", "", {Type::Number}, kPure, apply<area_tangent>, "inverse hyperbolic tangent"},
    {"hypot", "", {Type::Number, Type::Number}, kPure, hypotenuse, "square root of the sum of both squares"},
    {"to_degrees", "", {Type::Number}, kPure, apply<degrees>, "radians as degrees"},
    {"to_radians", "", {Type::Number}, kPure, apply<radians>, "degrees as radians"},
    {"PI", "", {}, kPure, [](Run&, Arguments) -> Result { return std::numbers::pi; }, "3.14159..."},
    {"E", "", {}, kPure, [](Run&, Arguments) -> Result { return std::numbers::e; }, "2.71828..."},
};

}  // namespace

std::span<const NativeRow> math_rows() { return kMath; }

}  // namespace vsl::standard
