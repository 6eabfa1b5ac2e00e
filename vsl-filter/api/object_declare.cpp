// The value of `object NAME TYPE = VALUE` for each type (vsl.md 2.5).
#include <utility>

#include "vsl-filter/api/object.h"
#include "vsl-filter/api/object_file.h"
#include "vsl-filter/lang/program.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/lang/text.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

struct Declared {
  std::string_view name;
  std::string_view type;
};

Result text_object(Run&, const Declared&, const Value& value) { return Value(value); }

Result regex_object(Run& run, const Declared&, const Value& value) {
  if (!value.is_string()) return Value(value);
  return make_regex(run, value.as_text());
}

// One number of a map: 554 or "554".
std::optional<std::int64_t> number_of(const Value& value) {
  if (value.is_int()) return value.as_int();
  if (value.is_string() && value.as_text().size() == 3)
    if (const auto reply = Reply::parse(std::string(value.as_text()) + " x")) return reply->code;
  return std::nullopt;
}

Result code_of_map(Run& run, const Declared& declared, const vsl::Map& map) {
  const auto missing = [&declared](std::string_view key) {
    return vsl::fail_api("code object " + std::string(declared.name) + " is missing the '" + std::string(key) + "' key.");
  };
  const Value* code = map.find("code");
  if (code == nullptr) code = map.find("base");  // the manual of v1.0
  if (code == nullptr) return missing("code");
  const Value* text = map.find("text");
  if (text == nullptr) return missing("text");
  const Value* enhanced = map.find("enhanced");
  const auto number = number_of(*code);
  if (!number || *number < 100 || *number > 599)
    return vsl::fail_api("'" + vsl::text_of(*code) + "' is not a valid code: a number from 100 to 599");
  Reply reply{static_cast<int>(*number), enhanced == nullptr ? "" : vsl::text_of(*enhanced), vsl::text_of(*text)};
  if (!reply.enhanced.empty() && !is_enhanced_status(reply.enhanced))
    return vsl::fail_api("'" + reply.enhanced + "' is not a valid enhanced code: three numbers, as in 5.7.1");
  return value_of(run.heap(), make_code(std::move(reply)));
}

Result code_object(Run& run, const Declared& declared, const Value& value) {
  if (value.is_map()) return code_of_map(run, declared, value.as_map());
  auto object = make_object("code", vsl::text_of(value));
  if (!object) return vsl::fail_api(std::move(object.error()));
  return value_of(run.heap(), *std::move(object));
}

bool may_be_element(const Value& value) { return value.is_string() || value.is_host() || value.is_array(); }

Result group_object(Run& run, const Declared& declared, const Value& value) {
  if (const RuleObject* object = object_of(value); object != nullptr && object->kind == Kind::List) return Value(value);
  if (!value.is_array()) return vsl::fail_api("'" + vsl::text_of(value) + "' is not a valid group: an array of objects is expected");
  for (const Value& element : value.as_array())
    if (!may_be_element(element))
      return vsl::fail_api("the element '" + vsl::text_of(element) + "' inside the '" + std::string(declared.name) + "' group is not an object");
  return value_of(run.heap(), make_list("group", value));
}

Result simple_object(Run& run, const Declared& declared, const Value& value) {
  // An object of that type, or a text of any object: both are as good as the text itself.
  if (const RuleObject* object = object_of(value); object != nullptr && object->type == declared.type) return Value(value);
  if (!value.is_string() && object_of(value) == nullptr)
    return vsl::fail_api("'" + vsl::text_of(value) + "' is not a valid " + std::string(declared.type) + ": a text is expected, not " +
                         std::string(vsl::type_name(value)));
  auto object = make_object(declared.type, vsl::text_of(value));
  if (!object) return vsl::fail_api(std::move(object.error()));
  return value_of(run.heap(), *std::move(object));
}

struct TypeRow {
  std::string_view name;
  std::string_view alias;  // v0
  Result (*make)(Run& run, const Declared& declared, const Value& value);
};
constexpr TypeRow kTypes[] = {
    {"ip4", "", simple_object},
    {"ip6", "", simple_object},
    {"rg4", "", simple_object},
    {"rg6", "", simple_object},
    {"address", "addr", simple_object},
    {"fqdn", "", simple_object},
    {"regex", "", regex_object},
    {"identifier", "ident", simple_object},
    {"string", "str", text_object},
    {"string", "val", text_object},
    {"group", "grp", group_object},
    {"code", "", code_object},
};

constexpr std::string_view kFile = "file:";

}  // namespace

Result make_regex(Run& run, std::string_view pattern) {
  Value argument = run.string(pattern);
  const vsl::Overloads* overloads = run.program().natives().find("", "regex", 1);
  const vsl::NativeRow* row = overloads == nullptr ? nullptr : overloads->select({&argument, 1});
  if (row == nullptr) return vsl::fail_api("Improper object type 'regex'.");
  return row->run(run, {&argument, 1});
}

Result declare_object(Run& run, std::string_view name, std::string_view type, const Value& given) {
  // #{ value: VALUE, note: "free fields" }; of a code the map itself is the value.
  Value value = given;
  if (given.is_map() && type != "code") {
    const Value* inner = given.as_map().find("value");
    if (inner == nullptr) return vsl::fail_api("'value' key not found in object.");
    value = *inner;
  }
  if (type.starts_with(kFile)) return read_object_file(run, vsl::text_of(value), type.substr(kFile.size()));
  for (const TypeRow& row : kTypes)
    if (row.name == type || row.alias == type) return row.make(run, {name, row.name}, value);
  return vsl::fail_api("Improper object type '" + std::string(type) + "'.");
}

}  // namespace rules
