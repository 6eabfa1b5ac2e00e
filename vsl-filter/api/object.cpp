#include "vsl-filter/api/object.h"

#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "lib/net/domain_name.h"
#include "vsl-filter/transaction/addresses.h"
#include "vsl-filter/api/group.h"
#include "vsl-filter/api/line_list.h"
#include "vsl-filter/lang/text.h"

namespace rules {

namespace {

std::unexpected<std::string> bad(std::string_view text, std::string_view what) {
  return std::unexpected("'" + base::text::printable(text, 100) + "' is not a valid " + std::string(what));
}

RuleObject of(Kind kind, std::string_view type, std::string text) {
  RuleObject object;
  object.kind = kind;
  object.type = type;
  object.text = std::move(text);
  return object;
}

template <bool kIsV6>
MadeObject make_ip(std::string_view type, std::string_view text) {
  const auto ip = Ip::parse(text);
  if (!ip || ip->is_v6 != kIsV6) return bad(text, kIsV6 ? "IPv6 address." : "IPv4 address.");
  RuleObject object = of(Kind::Ip, type, ip->text());
  object.ips = {*ip, *ip};
  return object;
}

template <bool kIsV6>
MadeObject make_range(std::string_view type, std::string_view text) {
  const auto range = IpRange::parse(text);
  if (!range || range->first.is_v6 != kIsV6)
    return bad(text, kIsV6 ? "IPv6 range: 2001:db8::/32 or 2001:db8::1-2001:db8::9" : "IPv4 range: 192.0.2.0/24 or 192.0.2.1-192.0.2.9");
  RuleObject object = of(Kind::Range, type, range->text());
  object.ips = *range;
  return object;
}

MadeObject make_address(std::string_view, std::string_view text) {
  if (const auto checked = check_address(text); !checked) return std::unexpected(checked.error().cause);
  return trusted_address(text);
}

MadeObject make_fqdn(std::string_view type, std::string_view text) {
  const std::string_view name = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  if (!mail::check_domain(name, {.smtputf8 = true})) return bad(text, "fqdn.");
  RuleObject object = of(Kind::Fqdn, type, std::string(text));
  object.key = domain_key(text);
  return object;
}

MadeObject make_identifier(std::string_view type, std::string_view text) { return of(Kind::Identifier, type, std::string(text)); }

MadeObject make_code_of_text(std::string_view, std::string_view text) {
  auto reply = Reply::parse(text);
  if (!reply) return bad(text, "code: CODE[ ENHANCED] TEXT, as in 554 5.7.1 Relay access denied");
  return make_code(*std::move(reply));
}

struct Maker {
  std::string_view type;
  std::string_view alias;  // of v0
  MadeObject (*make)(std::string_view type, std::string_view text);
};
constexpr Maker kMakers[] = {
    {"ip4", "", make_ip<false>},
    {"ip6", "", make_ip<true>},
    {"rg4", "", make_range<false>},
    {"rg6", "", make_range<true>},
    {"address", "addr", make_address},
    {"fqdn", "", make_fqdn},
    {"identifier", "ident", make_identifier},
    {"code", "", make_code_of_text},
};

}  // namespace

RuleObject::RuleObject() = default;
RuleObject::RuleObject(RuleObject&&) noexcept = default;
RuleObject::~RuleObject() = default;

std::string_view RuleObject::local_part() const { return mail::split_address(text).first; }
std::string_view RuleObject::domain() const { return mail::split_address(text).second; }

MadeObject make_object(std::string_view type, std::string_view text) {
  for (const Maker& maker : kMakers)
    if (maker.type == type || (!maker.alias.empty() && maker.alias == type)) return maker.make(maker.type, text);
  return std::unexpected("Improper object type '" + std::string(type) + "'.");
}

RuleObject trusted_address(std::string_view text) {
  RuleObject object = of(Kind::Address, "address", std::string(text));
  object.key = address_key(text);
  return object;
}

RuleObject make_code(Reply reply) {
  RuleObject object = of(Kind::Code, "code", reply.words());
  object.reply = std::move(reply);
  return object;
}

RuleObject make_list(std::string_view, vsl::Value elements) {
  RuleObject object = of(Kind::List, "group", {});
  object.elements = std::move(elements);
  if (object.elements.as_array().size() >= GroupIndex::kWorthIt) object.index = std::make_unique<GroupIndex>(object.elements.as_array());
  return object;
}

RuleObject make_list_of_lines(std::unique_ptr<LineList> lines) {
  RuleObject object = of(Kind::List, "group", {});
  object.lines = std::move(lines);
  return object;
}

std::size_t count_of(const RuleObject& list) { return list.lines ? list.lines->size() : list.elements.as_array().size(); }

vsl::Value element_of(vsl::Heap& heap, const RuleObject& list, std::size_t position) {
  return list.lines ? list.lines->element(heap, position) : list.elements.as_array()[position];
}

vsl::Value elements_of(vsl::Heap& heap, const RuleObject& list) { return list.lines ? list.lines->array(heap) : list.elements; }

const RuleObject* object_of(const vsl::Value& value) {
  if (!value.is_host()) return nullptr;
  const vsl::HostObject& host = value.as_host();
  return host.host_class == &kObjectClass || host.host_class == &kListClass ? &host.as<RuleObject>() : nullptr;
}

vsl::Value value_of(vsl::Heap& heap, RuleObject object) {
  const bool is_searched = object.kind == Kind::Range || object.kind == Kind::List;
  return heap.host(is_searched ? kListClass : kObjectClass, new RuleObject(std::move(object)));
}

std::string domain_key(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  for (const char c : domain) {
    if (static_cast<unsigned char>(c) < 0x80) continue;
    if (auto ascii = net::to_a_labels(domain)) return base::text::to_lower(*ascii);
    break;
  }
  return base::text::to_lower(domain);
}

bool same_domain(std::string_view a, std::string_view b) { return base::text::equal_ignoring_case(a, b) || domain_key(a) == domain_key(b); }
bool same_mailbox(std::string_view a, std::string_view b) { return a == b || address_key(a) == address_key(b); }

std::string name_argument(const vsl::Value& value) { return vsl::text_of(value); }

vsl::Expected<std::string> address_argument(const vsl::Value& value) {
  if (const RuleObject* object = object_of(value); object != nullptr && object->kind == Kind::Address && !object->text.empty()) return object->text;
  std::string text = vsl::text_of(value);
  if (const auto checked = check_address(text); !checked)
    return vsl::fail_api("invalid type conversion expected: `address`, but got: `" + checked.error().cause + "`");
  return text;
}

}  // namespace rules
