#include "vsl-filter/api/group.h"

#include "vsl-filter/addresses.h"

namespace rules {

namespace {

std::string key_of(const Ip& ip) {
  std::string key(1, ip.is_v6 ? '6' : '4');
  for (const std::uint64_t half : {ip.high, ip.low})
    for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(half >> shift);
  return key;
}

}  // namespace

GroupIndex::GroupIndex(const vsl::Array& elements) {
  keys_.reserve(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) add(elements[i], i);
  ranges_.finish();
}

void GroupIndex::enter(By by, std::string_view key) { keys_.insert(static_cast<char>(by) + std::string(key)); }
bool GroupIndex::has(By by, std::string_view key) const { return keys_.contains(static_cast<char>(by) + std::string(key)); }

void GroupIndex::add(const vsl::Value& element, std::size_t position) {
  if (element.is_string()) {
    const std::string_view text = element.as_text();
    enter(By::Text, text);
    enter(By::TextAsDomain, domain_key(text));
    if (text.empty() || text.find('@') != std::string_view::npos) enter(By::TextAsMailbox, address_key(text));  // "": the null sender
    if (const auto ip = Ip::parse(text)) enter(By::TextAsIp, key_of(*ip));
    return;
  }
  const RuleObject* object = object_of(element);
  switch (object == nullptr ? Kind::Other : object->kind) {
    case Kind::Address:
      enter(By::Mailbox, object->key);
      enter(By::LocalPart, object->local_part());
      enter(By::DomainOfMailbox, domain_key(object->domain()));
      return;
    case Kind::Fqdn: return enter(By::Domain, object->key);
    case Kind::Identifier: return enter(By::Identifier, object->text);
    case Kind::Ip: return enter(By::Ip, key_of(object->ips.first));
    case Kind::Range: return ranges_.add(object->ips);
    default: others_.push_back(position);
  }
}

bool GroupIndex::has_ip(const Ip& ip) const { return has(By::Ip, key_of(ip)) || ranges_.contains(ip); }

bool GroupIndex::has_text(std::string_view text) const {
  if (has(By::Text, text) || has(By::Identifier, text) || has(By::Domain, domain_key(text))) return true;
  if (text.find('@') != std::string_view::npos && has(By::Mailbox, address_key(text))) return true;
  const auto ip = Ip::parse(text);
  return ip && has_ip(*ip);
}

bool GroupIndex::has_object(const RuleObject& object) const {
  switch (object.kind) {
    case Kind::Address:
      return has(By::Mailbox, object.key) || has(By::TextAsMailbox, object.key) || has(By::Domain, domain_key(object.domain())) ||
             has(By::Identifier, object.local_part());
    case Kind::Fqdn: return has(By::Domain, object.key) || has(By::TextAsDomain, object.key) || has(By::DomainOfMailbox, object.key);
    case Kind::Identifier: return has(By::Identifier, object.text) || has(By::Text, object.text) || has(By::LocalPart, object.text);
    case Kind::Ip: return has_ip(object.ips.first) || has(By::TextAsIp, key_of(object.ips.first));
    default: return false;
  }
}

std::optional<bool> GroupIndex::find(const vsl::Value& sought) const {
  if (sought.is_string()) {
    // A text may also be the text of a range: only texts that look like one are worth the longer way.
    const std::string_view text = sought.as_text();
    if (has_text(text)) return true;
    if (!ranges_.empty() && text.find_first_of("/-") != std::string_view::npos && IpRange::parse(text)) return std::nullopt;
    return false;
  }
  const RuleObject* object = object_of(sought);
  if (object == nullptr) return std::nullopt;
  if (object->kind == Kind::Range || object->kind == Kind::List || object->kind == Kind::Code) return std::nullopt;
  return has_object(*object);
}

}  // namespace rules
