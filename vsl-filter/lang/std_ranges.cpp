// Ranges, and range() with a step.
#include <cmath>
#include <limits>

#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/object.h"
#include "vsl-filter/lang/std.h"

namespace vsl::standard {

namespace {

// From first towards last, which is not reached, in steps: what `for` walks over.
struct IntSteps {
  std::int64_t first, last, step;
};
struct FloatSteps {
  double first, last, step;
};

Expected<bool> int_element(Run&, const Value& self, std::size_t position, Value& element) {
  const auto& steps = self.as_host().as<IntSteps>();
  std::int64_t way = 0, at = 0;
  if (position > static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max())) return false;
  if (__builtin_mul_overflow(static_cast<std::int64_t>(position), steps.step, &way)) return false;
  if (__builtin_add_overflow(steps.first, way, &at)) return false;
  if (steps.step > 0 ? at >= steps.last : at <= steps.last) return false;
  element = at;
  return true;
}

Expected<bool> float_element(Run&, const Value& self, std::size_t position, Value& element) {
  const auto& steps = self.as_host().as<FloatSteps>();
  const double at = steps.first + static_cast<double>(position) * steps.step;
  if (!(steps.step > 0 ? at < steps.last : at > steps.last)) return false;
  element = at;
  return true;
}

constexpr HostClass kIntSteps{.name = "range", .destroy = destroy_as<IntSteps>, .element = int_element};
constexpr HostClass kFloatSteps{.name = "range", .destroy = destroy_as<FloatSteps>, .element = float_element};

Result int_range(Run& run, Arguments a) {
  const std::int64_t step = a.size() > 2 ? a[2].as_int() : 1;
  if (step == 0) return fail(ErrorKind::Arithmetic, "the step of a range must not be 0");
  if (step == 1) return run.heap().range(a[0].as_int(), a[1].as_int(), false);
  return run.heap().host(kIntSteps, new IntSteps{a[0].as_int(), a[1].as_int(), step});
}

Result float_range(Run& run, Arguments a) {
  const FloatSteps steps{a[0].as_number(), a[1].as_number(), a.size() > 2 ? a[2].as_number() : 1.0};
  if (!std::isfinite(steps.first) || !std::isfinite(steps.last) || !std::isfinite(steps.step) || steps.step == 0)
    return fail(ErrorKind::Arithmetic, "the bounds of a range must be finite and its step must not be 0");
  return run.heap().host(kFloatSteps, new FloatSteps{steps});
}

constexpr NativeRow kRows[] = {
    {"range", "", {Type::Int, Type::Int}, kPure, int_range, "the integers from the first up to but without the last: a..b"},
    {"range", "", {Type::Int, Type::Int, Type::Int}, kPure, int_range,
     "integers from the first on with a step between, without the last; for `for`"},
    {"range", "", {Type::Number, Type::Number}, kPure, float_range,
     "numbers from the first on, one more each time, without the last; for `for`"},
    {"range", "", {Type::Number, Type::Number, Type::Number}, kPure, float_range,
     "numbers from the first on with a step between, without the last; for `for`"},
    {"start", "", {Type::Range}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_range().first; }, "its first integer"},
    {"end", "", {Type::Range}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_range().last; }, "its upper bound"},
    {"is_empty", "", {Type::Range}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_range().empty(); },
     "whether no integer is in it"},
    {"is_inclusive", "", {Type::Range}, kProperty, [](Run&, Arguments a) -> Result { return a[0].as_range().is_inclusive; },
     "whether it has its upper bound in it: a..=b"},
    {"is_exclusive", "", {Type::Range}, kProperty, [](Run&, Arguments a) -> Result { return !a[0].as_range().is_inclusive; },
     "whether it ends before its upper bound: a..b"},
    {"contains", "", {Type::Range, Type::Int}, kPure, [](Run&, Arguments a) -> Result { return a[0].as_range().contains(a[1].as_int()); },
     "whether the integer is in it; also `i in range`"},
};

}  // namespace

std::span<const NativeRow> range_rows() { return kRows; }

}  // namespace vsl::standard
