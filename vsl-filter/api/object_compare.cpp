// ==, is, in with objects: the tables of vsl.md 2.5.
#include <array>

#include "vsl-filter/transaction/addresses.h"
#include "vsl-filter/api/group.h"
#include "vsl-filter/api/line_list.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/lang/text.h"

namespace rules {

using vsl::Expected;
using vsl::Value;

namespace {

constexpr std::string_view kRegexClass = "regex";  // of the language

struct Operand {
  const Value& value;
  const RuleObject* object;
  Kind kind;

  explicit Operand(const Value& v) : value(v), object(object_of(v)), kind(kind_of(v, object)) {}
  // Not of a char.
  [[nodiscard]] std::string_view text() const { return object != nullptr ? std::string_view(object->text) : value.as_text(); }

 private:
  static Kind kind_of(const Value& value, const RuleObject* object) {
    if (object != nullptr) return object->kind;
    if (value.is_string()) return Kind::String;
    if (value.is_array()) return Kind::List;
    if (value.is_host() && value.as_host().host_class->name == kRegexClass) return Kind::Regex;
    return Kind::Other;
  }
};

using Compare = Expected<bool> (*)(vsl::Run& run, const Operand& a, const Operand& b);

Expected<bool> never(vsl::Run&, const Operand&, const Operand&) { return false; }
Expected<bool> text_equal(vsl::Run&, const Operand& a, const Operand& b) { return a.text() == b.text(); }
Expected<bool> same_key(vsl::Run&, const Operand& a, const Operand& b) { return a.object->key == b.object->key; }
Expected<bool> same_ips(vsl::Run&, const Operand& a, const Operand& b) { return a.object->ips == b.object->ips; }
Expected<bool> same_code(vsl::Run&, const Operand& a, const Operand& b) { return a.object->reply == b.object->reply; }
Expected<bool> text_is_mailbox(vsl::Run&, const Operand& text, const Operand& address) { return address_key(text.text()) == address.object->key; }
Expected<bool> text_is_domain(vsl::Run&, const Operand& text, const Operand& fqdn) { return domain_key(text.text()) == fqdn.object->key; }
Expected<bool> text_is_ip(vsl::Run&, const Operand& text, const Operand& ip) { return Ip::parse(text.text()) == ip.object->ips.first; }
Expected<bool> text_is_range(vsl::Run&, const Operand& text, const Operand& range) { return IpRange::parse(text.text()) == range.object->ips; }
Expected<bool> in_that_domain(vsl::Run&, const Operand& address, const Operand& fqdn) {
  return domain_key(address.object->domain()) == fqdn.object->key;
}
Expected<bool> has_local_part(vsl::Run&, const Operand& address, const Operand& identifier) {
  return address.object->local_part() == identifier.text();
}
Expected<bool> matches(vsl::Run& run, const Operand& text, const Operand& regex) {
  const Value& pattern = regex.value;
  return pattern.as_host().host_class->contains(run, pattern, run.string(text.text()));
}
Expected<bool> same_pattern(vsl::Run&, const Operand& a, const Operand& b) { return vsl::text_of(a.value) == vsl::text_of(b.value); }
Expected<bool> same_elements(vsl::Run& run, const Operand& a, const Operand& b) {
  const auto elements = [&run](const Operand& list) { return list.object != nullptr ? elements_of(run.heap(), *list.object) : list.value; };
  return run.equal(elements(a), elements(b));
}
Expected<bool> not_with_texts(vsl::Run&, const Operand&, const Operand& other) {
  return vsl::fail_api("a " + std::string(kind_name(other.value)) + " object cannot be compared to a string");
}

constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::Other);
// Left and right in the order of Kind, the left one not behind the right one.
constexpr Compare kSame[kKinds][kKinds] = {
    //              String      Address          Ip          Range          Fqdn            Identifier      Regex         List            Code
    /* String */ {text_equal, text_is_mailbox, text_is_ip, text_is_range, text_is_domain, text_equal, matches, not_with_texts, not_with_texts},
    /* Address */ {nullptr, same_key, never, never, in_that_domain, has_local_part, matches, never, never},
    /* Ip */ {nullptr, nullptr, same_ips, never, never, never, matches, never, never},
    /* Range */ {nullptr, nullptr, nullptr, same_ips, never, never, never, never, never},
    /* Fqdn */ {nullptr, nullptr, nullptr, nullptr, same_key, never, matches, never, never},
    /* Identifier */ {nullptr, nullptr, nullptr, nullptr, nullptr, text_equal, matches, never, never},
    /* Regex */ {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, same_pattern, never, never},
    /* List */ {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, same_elements, never},
    /* Code */ {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, same_code},
};

std::unexpected<vsl::Failure> cannot_look(const Value& element, const Value& container) {
  if (element.is_string())
    return vsl::fail_api("the 'in' operator can only be used with 'group' and 'file' object types, ranges, regexes, addresses, arrays and maps, not with '" +
                         std::string(kind_name(container)) + "'");
  return vsl::fail_api("cannot look for a '" + std::string(kind_name(element)) + "' object in a '" + std::string(kind_name(container)) + "' object");
}

Expected<bool> in_range(const Operand& range, const Operand& element) {
  switch (element.kind) {
    case Kind::Ip:
    case Kind::Range: return range.object->ips.contains(element.object->ips);
    case Kind::String: {
      const auto ips = Ip::parse(element.text());
      return ips && range.object->ips.contains(*ips);
    }
    default: return cannot_look(element.value, range.value);
  }
}

Expected<bool> in_address(const Operand& address, const Operand& element) {
  const RuleObject& object = *address.object;
  switch (element.kind) {
    case Kind::Fqdn: return domain_key(object.domain()) == element.object->key;
    case Kind::Identifier: return object.local_part() == element.text();
    case Kind::String: return element.text() == object.local_part() || same_domain(element.text(), object.domain());
    default: return cannot_look(element.value, address.value);
  }
}

// Errors inside a list are no match.
bool is_element(vsl::Run& run, const Value& element, const Value& sought) {
  if (const auto equal = run.equal(sought, element); equal && *equal) return true;
  if (!element.is_host()) return false;
  const vsl::HostClass& of = *element.as_host().host_class;
  if (!of.is_searched_in_arrays || of.contains == nullptr) return false;
  const auto inside = of.contains(run, element, sought);
  return inside && *inside;
}

Expected<bool> in_list(vsl::Run& run, const RuleObject& list, const Value& sought) {
  const GroupIndex* index = list.lines ? &list.lines->index() : list.index.get();
  const auto found = index != nullptr ? index->find(sought) : std::nullopt;
  if (found && *found) return true;
  const std::size_t to_ask = found ? index->others().size() : count_of(list);
  if (!run.charge(to_ask)) return vsl::fail(vsl::ErrorKind::TooManyOperations, "Too many operations");
  for (std::size_t i = 0; i < to_ask; ++i) {
    if (is_element(run, element_of(run.heap(), list, found ? index->others()[i] : i), sought)) return true;
  }
  return false;
}

}  // namespace

std::string_view kind_name(const Value& value) {
  const RuleObject* object = object_of(value);
  return object == nullptr ? vsl::type_name(value) : object->type;
}

Expected<bool> same(vsl::Run& run, const Value& a, const Value& b) {
  const Operand left(a), right(b);
  if (left.kind == Kind::Other || right.kind == Kind::Other) return false;
  if (left.kind > right.kind) return kSame[static_cast<std::size_t>(right.kind)][static_cast<std::size_t>(left.kind)](run, right, left);
  return kSame[static_cast<std::size_t>(left.kind)][static_cast<std::size_t>(right.kind)](run, left, right);
}

Expected<bool> contains(vsl::Run& run, const Value& container, const Value& element) {
  const Operand in(container), sought(element);
  switch (in.kind) {
    case Kind::Range: return in_range(in, sought);
    case Kind::Address: return in_address(in, sought);
    case Kind::List:
      if (in.object != nullptr) return in_list(run, *in.object, element);
      break;
    default: break;
  }
  return cannot_look(element, container);
}

}  // namespace rules
