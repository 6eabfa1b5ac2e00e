// Objects: the typed constants of rules (vsl.md 2.5), and how they compare.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vsl-filter/api/ip.h"
#include "vsl-filter/lang/host_class.h"
#include "vsl-filter/lang/native.h"
#include "vsl-filter/transaction/reply.h"

namespace rules {

// String and Other are what an object can be compared with: a plain text, and any value that has no row in the table.
// Regex stands for the language's own class.
enum class Kind : std::uint8_t { String, Address, Ip, Range, Fqdn, Identifier, Regex, List, Code, Other };

class GroupIndex;
class LineList;

struct RuleObject {
  Kind kind = Kind::String;
  std::string_view type;  // "ip4", "rg6", "address", ...
  std::string text;       // what to_string() shows
  std::string key;        // Address: canonical; Fqdn: in lower case and A-labels, without a dot at the end
  IpRange ips;            // of Ip and Range
  Reply reply;            // of Code
  vsl::Value elements;    // of List: an array, unless there are lines
  std::unique_ptr<GroupIndex> index;
  std::unique_ptr<LineList> lines;  // of List: what a file holds

  RuleObject();
  RuleObject(RuleObject&&) noexcept;
  ~RuleObject();

  [[nodiscard]] std::string_view local_part() const;  // of an address
  [[nodiscard]] std::string_view domain() const;
};

extern const vsl::HostClass kObjectClass;  // ip4, ip6, address, fqdn, identifier, code
extern const vsl::HostClass kListClass;    // rg4, rg6, group, file: searched when they stand in arrays

// The object behind a value, or null.
const RuleObject* object_of(const vsl::Value& value);
vsl::Value value_of(vsl::Heap& heap, RuleObject object);

// --- making them; the error is what a script catches ---

using MadeObject = std::expected<RuleObject, std::string>;
// Of one text: ip4, ip6, rg4, rg6, address, fqdn, identifier, code.
MadeObject make_object(std::string_view type, std::string_view text);
// An address that needs no check any more; also the null sender "".
RuleObject trusted_address(std::string_view text);
RuleObject make_code(Reply reply);
// `elements` is an array of objects and texts. `type`: group, or file:TYPE.
RuleObject make_list(std::string_view type, vsl::Value elements);

RuleObject make_list_of_lines(std::unique_ptr<LineList> lines);

// Of a List. All elements as an array are made anew each time where the list is one of lines.
std::size_t count_of(const RuleObject& list);
vsl::Value element_of(vsl::Heap& heap, const RuleObject& list, std::size_t position);
vsl::Value elements_of(vsl::Heap& heap, const RuleObject& list);

// A compiled pattern: the language's own function makes it.
vsl::Result make_regex(vsl::Run& run, std::string_view pattern);

// `object NAME TYPE = VALUE`.
vsl::Result declare_object(vsl::Run& run, std::string_view name, std::string_view type, const vsl::Value& value);

// --- comparing (the table of 2.5) ---

// "string", "ip4", "address", ... of any value, as errors name it.
std::string_view kind_name(const vsl::Value& value);
// Fails for texts against lists and codes.
vsl::Expected<bool> same(vsl::Run& run, const vsl::Value& a, const vsl::Value& b);
vsl::Expected<bool> contains(vsl::Run& run, const vsl::Value& container, const vsl::Value& element);

// Case and a dot at the end do not count; U-labels become A-labels where they can.
std::string domain_key(std::string_view domain);
bool same_domain(std::string_view a, std::string_view b);
bool same_mailbox(std::string_view a, std::string_view b);

// --- arguments of functions ---

// The text of a "name" argument: of a string, a char or an object (section 3).
std::string name_argument(const vsl::Value& value);
// An "addr" argument: the text of a mailbox, else "invalid type conversion expected: `address`, but got: ...".
vsl::Expected<std::string> address_argument(const vsl::Value& value);

std::span<const vsl::NativeRow> object_rows();

}  // namespace rules
