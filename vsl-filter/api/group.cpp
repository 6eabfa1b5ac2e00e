#include "vsl-filter/api/group.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "lib/base/text.h"
#include "vsl-filter/transaction/addresses.h"

namespace rules {

namespace {

std::string key_of(const Ip& ip) {
  std::string key(1, ip.is_v6 ? '6' : '4');
  for (const std::uint64_t half : {ip.high, ip.low})
    for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(half >> shift);
  return key;
}

// Over letters without their case, so that one function does for all keys. Lists are the administrator's: nobody chooses their hashes.
std::size_t hash_of(std::string_view key, std::uint64_t seed) {
  constexpr std::uint64_t kNoCase = 0x2020202020202020, kFactor = 0x9E3779B97F4A7C15;
  std::uint64_t hash = seed + key.size();
  while (!key.empty()) {
    std::uint64_t octets = 0;
    const std::size_t taken = std::min(key.size(), sizeof octets);
    std::memcpy(&octets, key.data(), taken);
    hash = (hash ^ (octets | kNoCase)) * kFactor;
    hash ^= hash >> 32;
    key.remove_prefix(taken);
  }
  return hash;
}

}  // namespace

GroupIndex::GroupIndex(const vsl::Array& elements) {
  reserve(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const RuleObject* object = object_of(elements[i]);
    if (elements[i].is_string()) {
      add_text(elements[i].as_text());
    } else if (object == nullptr || !add_object(*object)) {
      others_.push_back(i);
    }
  }
  finish();
}

// ---- the keys ------------------------------------------------------------------------------------------------------------

bool GroupIndex::Key::is(By other, std::string_view key) const {
  if (by != other) return false;
  const bool is_domain = by == By::Domain || by == By::TextAsDomain || by == By::DomainOfMailbox;
  return is_domain ? base::text::equal_ignoring_case(text(), key) : text() == key;
}

void GroupIndex::reserve(std::size_t elements) {
  keys_.reserve(elements);
  spread(elements);
}

// Room for so many keys, a third of it free at least.
void GroupIndex::spread(std::size_t keys) {
  places_.assign(std::bit_ceil(std::max<std::size_t>(keys + keys / 2, 16)), {});
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const Key& key = keys_[i];
    const std::size_t hash = hash_of(key.text(), static_cast<std::uint64_t>(key.by));
    places_[place_of(hash, key.by, key.text())] = {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(i + 1)};
  }
}

std::size_t GroupIndex::place_of(std::size_t hash, By by, std::string_view key) const {
  const std::size_t mask = places_.size() - 1;
  const auto is_it = [&](const Place& place) { return place.hash == static_cast<std::uint32_t>(hash) && keys_[place.key - 1].is(by, key); };
  std::size_t at = hash >> 32 & mask;
  while (places_[at].key != 0 && !is_it(places_[at])) at = (at + 1) & mask;
  return at;
}

void GroupIndex::enter(By by, std::string_view lasting) {
  if ((keys_.size() + 1) * 3 > places_.size() * 2) spread(keys_.size() * 2 + 8);
  const std::size_t hash = hash_of(lasting, static_cast<std::uint64_t>(by));
  Place& place = places_[place_of(hash, by, lasting)];
  if (place.key != 0) return;
  keys_.push_back({lasting.data(), static_cast<std::uint32_t>(lasting.size()), by});
  place = {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(keys_.size())};
}

void GroupIndex::enter_copy(By by, std::string_view key) {
  char* copy = static_cast<char*>(copies_.allocate(key.size() + 1, 1));
  std::ranges::copy(key, copy);
  enter(by, {copy, key.size()});
}

bool GroupIndex::has(By by, std::string_view key) const {
  return !places_.empty() && places_[place_of(hash_of(key, static_cast<std::uint64_t>(by)), by, key)].key != 0;
}

// ---- elements --------------------------------------------------------------------------------------------------------------

void GroupIndex::add_text(std::string_view text) {
  enter_copy(By::Text, text);
  enter_copy(By::TextAsDomain, domain_key(text));
  if (text.empty() || text.find('@') != std::string_view::npos) enter_copy(By::TextAsMailbox, address_key(text));  // "": the null sender
  if (const auto ip = Ip::parse(text)) enter_copy(By::TextAsIp, key_of(*ip));
}

bool GroupIndex::add_object(const RuleObject& object) {
  switch (object.kind) {
    case Kind::Address:
      enter_copy(By::Mailbox, object.key);
      enter_copy(By::LocalPart, object.local_part());
      enter_copy(By::DomainOfMailbox, domain_key(object.domain()));
      return true;
    case Kind::Fqdn: return enter_copy(By::Domain, object.key), true;
    case Kind::Identifier: return enter_copy(By::Identifier, object.text), true;
    case Kind::Ip: return enter_copy(By::Ip, key_of(object.ips.first)), true;
    case Kind::Range: return ranges_.add(object.ips), true;
    default: return false;
  }
}

// ---- looking -----------------------------------------------------------------------------------------------------------------

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
