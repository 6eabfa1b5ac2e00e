// Variables that travel with the connection or the transaction, as JSON (vsl.md 3.3, v3).
#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/lang/json.h"

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

// Gives the old value.
Result set_variable(Run& run, Arguments a) {
  auto session = session_at(run, "set_variable");
  if (!session) return pass_on(session);
  const std::string name = name_argument(a[0]);
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
