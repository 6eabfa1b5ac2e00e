// Changing a part of a variable in place: a.b[i] = v, a.b.push(v). On the way down everything that others see is copied, so that
// only this variable changes.
#include "vsl-filter/lang/machine.h"
#include "vsl-filter/lang/operations.h"

namespace vsl {

// The variable; null: failure_ (`this` is not bound).
Value* Machine::root_of(const Place& place, Value* base) {
  Value& home = base[place.root == Place::Root::This ? 0 : place.base];
  Value& root = home.is(Tag::Cell) ? home.as_cell().value : home;
  if (root.is_absent()) {
    fail_with(Failure(ErrorKind::UnboundThis, "'this' is not bound"));
    return nullptr;
  }
  return &root;
}

namespace {

Result read_step(Run& run, const Value& object, const Step& step, const Value* base) {
  if (step.is_index) return get_index(run, object, base[step.index]);
  return get_field(run, object, Field{step.key, nullptr});
}

Expected<void> write_step(Run& run, Value& object, const Step& step, const Value* base, const Value& value) {
  if (step.is_index) return set_index(run, object, base[step.index], value);
  return set_field(run, object, step.key, value);
}

// The element itself where it lies in an array or map; null: it must be read and written back.
Value* element_of(Run& run, Value& object, const Step& step, const Value* base) {
  if (object.is_map()) {
    const Value& key = step.is_index ? base[step.index] : step.key;
    return key.is_string() ? object.map_for_write(run.heap()).find(key) : nullptr;
  }
  if (!object.is_array() || !step.is_index || !base[step.index].is_int()) return nullptr;
  const auto at = resolve_index(base[step.index].as_int(), object.as_array().size());
  return at ? &object.array_for_write(run.heap())[*at] : nullptr;
}

}  // namespace

Result Machine::read_place(const Place& place, Value* base, bool& is_skipped) {
  const Value* root = root_of(place, base);
  if (root == nullptr) {
    Failure failure = std::move(*failure_);
    return std::unexpected(std::move(failure));
  }
  Value value = *root;
  for (const Step& step : place.steps) {
    if (step.is_optional && value.is_unit()) {
      is_skipped = true;
      return Value();
    }
    Result part = read_step(run_, value, step, base);
    if (!part) return part;
    value = std::move(*part);
  }
  return value;
}

Expected<void> Machine::change(Value& target, std::span<const Step> steps, const Value* base, const Change& apply) {
  if (steps.empty()) return apply(target);
  const Step& step = steps.front();
  if (step.is_optional && target.is_unit()) return {};
  if (Value* element = element_of(run_, target, step, base)) return change(*element, steps.subspan(1), base, apply);
  Result part = read_step(run_, target, step, base);
  if (!part) return std::unexpected(std::move(part.error()));
  auto changed = change(*part, steps.subspan(1), base, apply);
  // What a host handed out as a handle has changed already; everything else is a copy.
  if (!changed || (part->is_host() && steps.size() > 1)) return changed;
  return write_step(run_, target, step, base, *part);
}

Expected<void> Machine::change_place(const Place& place, Value* base, const Change& apply) {
  Value* root = root_of(place, base);
  if (root == nullptr) {
    Failure failure = std::move(*failure_);
    return std::unexpected(std::move(failure));
  }
  return change(*root, place.steps, base, apply);
}

bool Machine::assign(const Assignment& assignment, Value* base, const Value& from) {
  const Value value = from;  // which may be the root itself, or lie in it
  const Place& place = assignment.place;
  if (place.is_constant || (place.root == Place::Root::This && frames_[depth_ - 1].has_constant_this))
    return fail_with(Failure(ErrorKind::AssignmentToConstant, "Cannot assign to constant this"));
  const auto operation = static_cast<Operator>(assignment.op);
  Value* root = root_of(place, base);
  if (root == nullptr) return false;
  Expected<void> done;
  if (assignment.is_compound) {
    done = change(*root, place.steps, base, [&](Value& target) { return operate_on(run_, operation, target, value); });
  } else if (place.steps.empty()) {
    *root = value;
  } else {
    const std::span<const Step> steps = place.steps;
    const Step& last = steps.back();
    done = change(*root, steps.first(steps.size() - 1), base, [&](Value& target) -> Expected<void> {
      if (last.is_optional && target.is_unit()) return {};
      return write_step(run_, target, last, base, value);
    });
  }
  return done ? true : fail_with(std::move(done.error()));
}

// Where `this` of a method comes back. The way there existed when the method was called; if it does not any more, nothing is lost but
// the change.
void Machine::write_place(const Place& place, Value* base, Value value) {
  if (place.steps.empty()) {
    Value& home = base[place.root == Place::Root::This ? 0 : place.base];
    (home.is(Tag::Cell) ? home.as_cell().value : home) = std::move(value);
    return;
  }
  Value* root = root_of(place, base);
  if (root == nullptr) return;
  static_cast<void>(change(*root, place.steps, base, [&](Value& target) -> Expected<void> {
    target = std::move(value);
    return {};
  }));
}

}  // namespace vsl
