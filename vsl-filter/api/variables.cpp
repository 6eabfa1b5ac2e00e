// Variables that travel with the connection or the transaction, as JSON (vsl.md 3.3, v3).
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/values.h"
#include "vsl-filter/lang/json.h"
#include "vsl-filter/lang/regex.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr std::size_t kMostOctets = 65536;  // of one value: it goes with the message from program to program

Result value_of_variable(Run& run, const Session& session, std::string_view name) {
  const std::string* json = session.variable(name);
  if (json == nullptr) return Value();
  auto value = vsl::json::read(run.heap(), *json);
  if (!value) return vsl::fail_api("the variable '" + std::string(name) + "' is no JSON: " + value.error().message());
  return *std::move(value);
}

// What has no form in JSON that says the same: the first such value in `value`, or null.
const Value* without_json(const Value& value, int depth = 0) {
  constexpr int kDeepest = 200;  // what is deeper is too large anyway
  if (value.is_function() || value.is(vsl::Tag::Timestamp)) return &value;
  if (value.is_host()) {
    const auto* host_class = value.as_host().host_class;
    return object_of(value) != nullptr || host_class == &kTimeClass || host_class == &vsl::kRegexClass ? nullptr : &value;
  }
  if (depth >= kDeepest) return nullptr;
  if (value.is_array())
    for (const Value& element : value.as_array())
      if (const Value* found = without_json(element, depth + 1)) return found;
  if (value.is_map())
    for (const auto& [key, element] : value.as_map().entries())
      if (const Value* found = without_json(element, depth + 1)) return found;
  return nullptr;
}

// Gives the old value.
Result set_variable(Run& run, Arguments a) {
  auto session = session_at(run, "set_variable");
  if (!session) return pass_on(session);
  const std::string name = name_argument(a[0]);
  if (const Value* odd = without_json(a[1]))
    return vsl::fail_api("the variable '" + name + "' cannot hold a value of type " + std::string(vsl::type_name(*odd)) + ": it travels as JSON");
  std::string json;
  if (!vsl::json::write(json, a[1], 0, kMostOctets))
    return vsl::fail_api("the variable '" + name + "' would be larger than " + std::to_string(kMostOctets) + " octets");
  auto old = value_of_variable(run, **session, name);
  (*session)->set_variable(scene_of(run).stage, name, std::move(json));
  return old;
}

Result get_variable(Run& run, Arguments a) {
  auto session = session_at(run, "get_variable");
  if (!session) return pass_on(session);
  return value_of_variable(run, **session, name_argument(a[0]));
}

using enum vsl::Type;
constexpr ApiRow kRows[] = {
    api<set_variable>("set_variable", "ctx::set_variable", {Any, Any}, kEvery,
                      "keeps a value under a name for later stages: of the connection before mail, then of the message; gives the old value"),
    api<get_variable>("get_variable", "ctx::get_variable", {Any}, kEvery, "the value that set_variable() kept, or ()"),
};

}  // namespace

std::span<const ApiRow> variable_rows() { return kRows; }

}  // namespace rules
