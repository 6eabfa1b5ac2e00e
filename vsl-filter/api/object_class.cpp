// Objects as values of the language: their classes, declarations and functions.
#include <algorithm>
#include <utility>

#include "vsl-filter/api/api.h"
#include "vsl-filter/api/group.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/object_file.h"
#include "vsl-filter/lang/program.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/lang/text.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

const RuleObject& object_in(const vsl::HostObject& self) { return self.as<RuleObject>(); }

// What is made to be shown goes away with its heap.
void append_elements(std::string& out, const RuleObject& list) {
  vsl::Heap heap;
  vsl::append_text(out, elements_of(heap, list));
}

void append_text(const vsl::HostObject& self, std::string& out) {
  const RuleObject& object = object_in(self);
  if (object.kind == Kind::List)
    append_elements(out, object);
  else
    out += object.text;
}

void freeze(vsl::HostObject& self) { vsl::Heap::freeze({&self.as<RuleObject>().elements, 1}); }

Expected<std::optional<bool>> equal(Run& run, const Value& self, const Value& other) {
  auto answer = same(run, self, other);
  if (!answer) return std::unexpected(std::move(answer.error()));
  return *answer;
}

// "ip4 object", as the errors of v1 say it.
std::unexpected<vsl::Failure> no_part(std::string_view part, const Value& value) {
  return vsl::fail_api("cannot extract " + std::string(part) + " for " + std::string(kind_name(value)) + " object");
}

using Part = std::string_view (RuleObject::*)() const;
struct PartRow {
  std::string_view name;
  std::string_view words;
  Part part;
};
constexpr PartRow kLocalPart{"local_part", "local part", &RuleObject::local_part};
constexpr PartRow kDomain{"domain", "domain", &RuleObject::domain};

// Of an address, or of a text that is one.
template <const PartRow& kRow>
Result part_of(Run& run, Arguments a) {
  const RuleObject* object = object_of(a[0]);
  if (object != nullptr && object->kind == Kind::Address) return run.string((object->*kRow.part)());
  if (!a[0].is_string()) return no_part(kRow.words, a[0]);
  auto address = address_argument(a[0]);
  if (!address) return std::unexpected(std::move(address.error()));
  return run.string((trusted_address(*address).*kRow.part)());
}

template <const PartRow& kRow>
Result parts_of(Run& run, Arguments a) {
  const RuleObject* list = object_of(a[0]);
  if (list != nullptr && list->kind != Kind::List) return no_part(kRow.words, a[0]);
  const Value all = list != nullptr ? elements_of(run.heap(), *list) : a[0];
  const vsl::Array& elements = all.as_array();
  Value parts = run.heap().array(elements.size());
  for (const Value& element : elements) {
    Value copy = element;
    auto part = part_of<kRow>(run, {&copy, 1});
    if (!part) return vsl::fail_api("cannot extract " + std::string(kRow.words) + " from a " + std::string(kind_name(element)) + " object");
    parts.array_for_write(run.heap()).push(*std::move(part));
  }
  return parts;
}

Result get(Run& run, const Value& self, std::string_view name) {
  for (const PartRow* row : {&kLocalPart, &kDomain}) {
    if (row->name != name) continue;
    Value copy = self;
    return row == &kDomain ? part_of<kDomain>(run, {&copy, 1}) : part_of<kLocalPart>(run, {&copy, 1});
  }
  return Value::absent();
}

Expected<bool> element_at(Run& run, const Value& self, std::size_t position, Value& element) {
  const RuleObject& object = *object_of(self);
  if (object.kind != Kind::List) return vsl::fail(vsl::ErrorKind::For, "For loop expects iterable type");
  if (position >= count_of(object)) return false;
  element = element_of(run.heap(), object, position);
  return true;
}

Result element_by_index(Run& run, const Value& self, const Value& index) {
  const RuleObject& object = *object_of(self);
  if (object.kind != Kind::List || !index.is_int())
    return vsl::fail(vsl::ErrorKind::IndexingType,
                     "Indexer not registered for '" + std::string(kind_name(self)) + " [" + std::string(vsl::type_name(index)) + "]'");
  const auto size = static_cast<std::int64_t>(count_of(object));
  const std::int64_t at = index.as_int() < 0 ? index.as_int() + size : index.as_int();
  if (at < 0 || at >= size)
    return vsl::fail(vsl::ErrorKind::ArrayBounds, "Array index " + std::to_string(index.as_int()) + " out of bounds: only " + std::to_string(size) +
                                                      (size == 1 ? " element" : " elements") + " in array");
  return element_of(run.heap(), object, static_cast<std::size_t>(at));
}

Result not_a_list(const Value& value) {
  return vsl::fail(vsl::ErrorKind::FunctionNotFound, "a " + std::string(kind_name(value)) + " object is no list");
}

Result count(Run&, Arguments a) {
  const RuleObject& object = *object_of(a[0]);
  if (object.kind != Kind::List) return not_a_list(a[0]);
  return static_cast<std::int64_t>(count_of(object));
}

Result to_array(Run& run, Arguments a) {
  const RuleObject& object = *object_of(a[0]);
  if (object.kind != Kind::List) return not_a_list(a[0]);
  return elements_of(run.heap(), object);
}

// A function of arrays on the elements of a list.
struct ArrayFunction {
  std::string_view name;
};
template <const ArrayFunction& kFunction>
Result on_elements(Run& run, Arguments a) {
  const RuleObject& object = *object_of(a[0]);
  if (object.kind != Kind::List) return not_a_list(a[0]);
  a[0] = elements_of(run.heap(), object);
  const vsl::Overloads* overloads = run.program().natives().find("", kFunction.name, a.size());
  const vsl::NativeRow* row = overloads == nullptr ? nullptr : overloads->select(a);
  if (row == nullptr) return vsl::fail(vsl::ErrorKind::FunctionNotFound, "Function not found: " + std::string(kFunction.name));
  return row->run(run, a);
}
constexpr ArrayFunction kMap{"map"}, kFilter{"filter"}, kForEach{"for_each"}, kSome{"some"}, kAll{"all"}, kFind{"find"}, kJoin{"join"}, kIndexOf{"index_of"};

Result is_null(Run&, Arguments a) { return object_of(a[0])->text.empty(); }

// --- constructors ---

struct TypeName {
  std::string_view name;
};
template <const TypeName& kType>
Result construct(Run& run, Arguments a) {
  if (const RuleObject* object = object_of(a[0]); object != nullptr && object->type == kType.name) return a[0];
  auto object = make_object(kType.name, name_argument(a[0]));
  if (!object) return vsl::fail_api(std::move(object.error()));
  return value_of(run.heap(), *std::move(object));
}
constexpr TypeName kIp4{"ip4"}, kIp6{"ip6"}, kRg4{"rg4"}, kRg6{"rg6"}, kAddress{"address"}, kFqdn{"fqdn"}, kIdentifier{"identifier"};

Result code_of(Run& run, const Value& number, std::string enhanced, const Value& text) {
  if (number.as_int() < 100 || number.as_int() > 599) return vsl::fail_api("'" + std::to_string(number.as_int()) + "' is not a valid code: 100 to 599");
  if (!enhanced.empty() && !is_enhanced_status(enhanced)) return vsl::fail_api("'" + enhanced + "' is not a valid enhanced code: 5.7.1");
  return value_of(run.heap(), make_code(Reply{static_cast<int>(number.as_int()), std::move(enhanced), name_argument(text)}));
}
Result code2(Run& run, Arguments a) { return code_of(run, a[0], {}, a[1]); }
Result code3(Run& run, Arguments a) { return code_of(run, a[0], name_argument(a[1]), a[2]); }
Result code1(Run& run, Arguments a) { return declare_object(run, "code", "code", a[0]); }

Result file(Run& run, Arguments a) { return read_object_file(run, name_argument(a[0]), name_argument(a[1])); }

Result declare(Run& run, Arguments a) { return declare_object(run, a[0].as_text(), a[1].as_text(), a[2]); }

using enum vsl::Type;
constexpr std::uint16_t kMade = kAtLoad | kNoHandle;
constexpr ApiRow kConstructors[] = {
    api<construct<kIp4>>("ip4", "obj::ip4", {Any}, kEvery, "IPv4 address from a text: ip4(\"192.0.2.1\")", kMade),
    api<construct<kIp6>>("ip6", "obj::ip6", {Any}, kEvery, "IPv6 address from a text: ip6(\"2001:db8::1\")", kMade),
    api<construct<kRg4>>("rg4", "obj::rg4", {Any}, kEvery, "IPv4 range: \"192.0.2.0/24\", \"192.0.2.1-192.0.2.9\"", kMade),
    api<construct<kRg6>>("rg6", "obj::rg6", {Any}, kEvery, "IPv6 range: \"2001:db8::/32\", \"2001:db8::1-2001:db8::9\"", kMade),
    api<construct<kAddress>>("address", "new_address obj::address obj::new_address", {Any}, kEvery, "mail address from a text: address(\"ann@example.org\")", kMade),
    api<construct<kFqdn>>("fqdn", "obj::fqdn", {Any}, kEvery, "domain name from a text; compares without regard to case", kMade),
    api<construct<kIdentifier>>("identifier", "obj::identifier", {Any}, kEvery, "text that is compared with local parts of addresses", kMade),
    api<code1>("code", "obj::code code::code", {Any}, kEvery, "reply code from \"554 5.7.1 text\" or from #{code, enhanced, text}", kMade),
    api<code2>("code", "obj::code code::code", {Int, Any}, kEvery, "reply code of a number and a text", kMade),
    api<code3>("code", "obj::code code::code", {Int, Any, Any}, kEvery, "reply code of a number, an enhanced code and a text: code(554, \"5.7.1\", \"no\")", kMade),
    api<file>("file", "obj::file", {Any, Any}, kEvery, "list with one object of a type for each line of a file: file(\"list.txt\", \"fqdn\")", kMade),
};

constexpr vsl::NativeRow kRows[] = {
    // name       aliases             parameters                flags          run            doc
    {"make_object", "", {String, String, Any}, vsl::kPure, declare, "what `object NAME TYPE = VALUE` calls"},
    {"is_null", "", {kObjectClass}, vsl::kPure, is_null, "whether an address is the null sender <>"},
    {"get_local_part", "local_part", {Any}, vsl::kProperty, part_of<kLocalPart>, "what stands before the @ of an address"},
    {"get_domain", "domain", {Any}, vsl::kProperty, part_of<kDomain>, "what stands behind the @ of an address"},
    {"get_local_parts", "local_parts", {Array}, vsl::kProperty, parts_of<kLocalPart>, "the local parts of all addresses of a list"},
    {"get_local_parts", "local_parts", {kListClass}, vsl::kProperty, parts_of<kLocalPart>, "the local parts of all addresses of a group"},
    {"get_domains", "domains", {Array}, vsl::kProperty, parts_of<kDomain>, "the domains of all addresses of a list"},
    {"get_domains", "domains", {kListClass}, vsl::kProperty, parts_of<kDomain>, "the domains of all addresses of a group"},

    {"len", "", {kListClass}, vsl::kProperty, count, "number of elements of a group"},
    {"is_empty", "", {kListClass}, vsl::kProperty, [](Run&, Arguments a) -> Result { return count_of(*object_of(a[0])) == 0; },
     "whether a group has no elements"},
    {"to_array", "", {kListClass}, vsl::kPure, to_array, "the elements of a group as an array"},
    {"map", "", {kListClass, Callback}, vsl::kCalls, on_elements<kMap>, "array of what a function makes of each element of a group"},
    {"filter", "", {kListClass, Callback}, vsl::kCalls, on_elements<kFilter>, "array of the elements of a group for which a function says true"},
    {"for_each", "", {kListClass, Callback}, vsl::kCalls, on_elements<kForEach>, "calls a function for each element of a group"},
    {"some", "", {kListClass, Callback}, vsl::kCalls, on_elements<kSome>, "whether a function says true for some element of a group"},
    {"all", "", {kListClass, Callback}, vsl::kCalls, on_elements<kAll>, "whether a function says true for all elements of a group"},
    {"find", "", {kListClass, Callback}, vsl::kCalls, on_elements<kFind>, "the first element of a group for which a function says true, or ()"},
    {"index_of", "", {kListClass, Any}, vsl::kCalls, on_elements<kIndexOf>, "where in a group a value is, or -1"},
    {"join", "", {kListClass, Text}, vsl::kPure, on_elements<kJoin>, "the texts of all elements of a group, with a text between them"},
};

}  // namespace

const vsl::HostClass kObjectClass{
    .name = "object",
    .destroy = vsl::destroy_as<RuleObject>,
    .text = append_text,
    .equal = equal,
    .contains = contains,
    .is_searched_in_arrays = false,
    .get = get,
};

const vsl::HostClass kListClass{
    .name = "object",
    .destroy = vsl::destroy_as<RuleObject>,
    .freeze = freeze,
    .text = append_text,
    .equal = equal,
    .contains = contains,
    .is_searched_in_arrays = true,
    .index = element_by_index,
    .get = get,
    .element = element_at,
};

std::span<const vsl::NativeRow> object_rows() { return kRows; }
std::span<const ApiRow> constructor_rows() { return kConstructors; }

}  // namespace rules
